# How a module folder becomes a library and a test program.

add_library(coracle_options INTERFACE)
target_compile_features(coracle_options INTERFACE cxx_std_20)
target_include_directories(coracle_options INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)

# Warnings are for our own sources, not for those who link us.
add_library(coracle_warnings INTERFACE)
target_compile_options(coracle_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wno-missing-field-initializers
    -Werror -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>)

find_program(CORACLE_CCACHE ccache)
if(CORACLE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CORACLE_CCACHE}")
endif()

# coracle_module(NAME DEPENDS module... LINK PUBLIC|PRIVATE library...)
# builds coracle/NAME/**/*.cc, tests apart, into the target Coracle::NAME.
function(coracle_module name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/coracle/${name}/*.cc")
    list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
    if(name STREQUAL "testing")
        list(FILTER sources EXCLUDE REGEX "/testing/web/")
    endif()
    set(target coracle_${name})
    if(sources)
        set(scope PUBLIC)
        add_library(${target} STATIC ${sources})
        target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:coracle_warnings>)
    else()
        set(scope INTERFACE)
        add_library(${target} INTERFACE)
    endif()
    add_library(Coracle::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    target_link_libraries(${target} ${scope} coracle_options)
    foreach(module IN LISTS ARG_DEPENDS)
        target_link_libraries(${target} ${scope} coracle_${module})
    endforeach()
    if(ARG_LINK)
        if(scope STREQUAL "INTERFACE")
            list(TRANSFORM ARG_LINK REPLACE "^(PUBLIC|PRIVATE)$" "INTERFACE")
        endif()
        target_link_libraries(${target} ${ARG_LINK})
    endif()
endfunction()

# One test program per module: coracle/NAME/**/*_test.cc. Tests may also use the testing module.
function(coracle_module_tests)
    foreach(name IN LISTS ARGN)
        file(GLOB_RECURSE sources CONFIGURE_DEPENDS
            "${PROJECT_SOURCE_DIR}/coracle/${name}/*_test.cc")
        if(name STREQUAL "testing")
            list(FILTER sources EXCLUDE REGEX "/testing/web/")
        endif()
        if(sources)
            set(target coracle_${name}_test)
            add_executable(${target} ${sources})
            target_link_libraries(${target} PRIVATE
                coracle_warnings coracle_${name} coracle_testing GTest::gtest_main)
            add_test(NAME ${name} COMMAND ${target})
        endif()
    endforeach()
endfunction()
