# How a folder becomes a library, a test program, an example; what every target is compiled with.

add_library(coracle_options INTERFACE)
target_compile_features(coracle_options INTERFACE cxx_std_20)
target_include_directories(coracle_options INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)

# Warnings are for our own sources, not for those who link us; errors only for us, who choose the compiler.
add_library(coracle_warnings INTERFACE)
target_compile_options(coracle_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wold-style-cast -Wno-missing-field-initializers
    $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror> -fno-omit-frame-pointer
    # GCC 12 warns at -O3 of a string that overlaps itself by exabytes (its bug 105651).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    # Assertions and await locations name files as the repository does, not as this machine does.
    "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/="
    $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>)

find_program(CORACLE_CCACHE ccache)
if(CORACLE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CORACLE_CCACHE}")
endif()

set(CORACLE_SANITIZED OFF)
if("${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_DEBUG} ${CMAKE_CXX_FLAGS_RELEASE}" MATCHES "-fsanitize=")
    set(CORACLE_SANITIZED ON)
endif()

# coracle_optional_library(NAME pkg-config-name DEBIAN-PACKAGE VERSION WHAT)
# The option CORACLE_NAME: AUTO (the default) is wherever the library is installed, ON requires it, OFF does without.
# Sets CORACLE_HAS_NAME, and CORACLE_NAME_LIBRARY to what core links.
function(coracle_optional_library name module package version what)
    set(CORACLE_${name} AUTO CACHE STRING "${what}: ON, OFF, or AUTO for where ${package} is installed")
    set_property(CACHE CORACLE_${name} PROPERTY STRINGS AUTO ON OFF)
    set(has OFF)
    if(CORACLE_${name})
        pkg_check_modules(${module} QUIET IMPORTED_TARGET "${module}>=${version}")
        set(has ${${module}_FOUND})
        if(NOT has AND CORACLE_${name} STREQUAL "AUTO")
            message(STATUS "${what} is left out: there is no ${module} ${version} (${package})")
        elseif(NOT has)
            message(FATAL_ERROR "${what} needs ${module} ${version}: install ${package}, or set CORACLE_${name}=OFF")
        endif()
    endif()
    set(CORACLE_HAS_${name} ${has} PARENT_SCOPE)
    set(CORACLE_${name}_LIBRARY PARENT_SCOPE)
    if(has)
        set(CORACLE_${name}_LIBRARY PkgConfig::${module} PARENT_SCOPE)
        set(CORACLE_SYSTEM_LIBS ${CORACLE_SYSTEM_LIBS} ${${module}_LDFLAGS} PARENT_SCOPE)
        set(CORACLE_PKG_CONFIG_MODULES ${CORACLE_PKG_CONFIG_MODULES} ${module} PARENT_SCOPE)
    endif()
endfunction()

# The sources of coracle/FOLDER matching PATTERN, without those of a module nested in it.
function(coracle_sources result folder pattern)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/coracle/${folder}/${pattern}")
    if(folder STREQUAL "testing")
        list(FILTER sources EXCLUDE REGEX "/coracle/testing/web/")
    endif()
    set(${result} ${sources} PARENT_SCOPE)
endfunction()

# coracle_module(NAME DEPENDS module... LINK PUBLIC|PRIVATE library...)
# builds coracle/NAME/**/*.cc, tests apart, into the target Coracle::NAME; a nested folder's module has an underscore
# for the slash (testing_web).
function(coracle_module name)
    cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
    string(REPLACE "_" "/" folder "${name}")
    coracle_sources(sources "${folder}" "*.cc")
    list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
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
    set_property(GLOBAL APPEND PROPERTY CORACLE_MODULES ${name})
    if(sources)
        set_property(GLOBAL APPEND PROPERTY CORACLE_ARCHIVES ${target})
    endif()
endfunction()

# One test program per module: coracle/NAME/**/*_test.cc. Tests may also use the testing modules.
# ctest sees each case as NAME.Suite.Case with the label NAME.
function(coracle_module_tests)
    foreach(name IN LISTS ARGN)
        string(REPLACE "_" "/" folder "${name}")
        coracle_sources(sources "${folder}" "*_test.cc")
        if(sources)
            set(target coracle_${name}_test)
            add_executable(${target} ${sources})
            target_link_libraries(${target} PRIVATE
                coracle_warnings coracle_${name} GTest::gmock GTest::gtest_main)
            # The two that never see a coroutine do not wait for what stands on them to compile.
            if(NOT name MATCHES "^(base|http)$")
                target_link_libraries(${target} PRIVATE coracle_testing)
                # Holds them to the loop backend that CORACLE_LOOP names; core has it among its own.
                if(NOT name STREQUAL "core")
                    target_sources(${target} PRIVATE
                        "${PROJECT_SOURCE_DIR}/coracle/core/internal/backend_report_test.cc")
                endif()
            endif()
            gtest_discover_tests(${target} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
                WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" PROPERTIES LABELS "${name}")
        endif()
    endforeach()
endfunction()

# coracle_program(NAME SOURCES file... LINK library...)
# is a program of the folder that calls it, put at the path of that folder in the build: examples/NAME.
function(coracle_program name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE coracle_warnings ${ARG_LINK})
    file(RELATIVE_PATH place "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${place}")
endfunction()

# coracle_check(NAME LABEL label COMMAND ...) is a ctest test that runs a script from the root of the sources.
function(coracle_check name)
    cmake_parse_arguments(ARG "" "LABEL" "COMMAND" ${ARGN})
    add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}")
endfunction()

# The target coracle_headers_alone compiles a file of its own for each installed header, which includes it twice and
# nothing else.
function(coracle_headers_alone)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}"
        "${PROJECT_SOURCE_DIR}/coracle/*.h")
    list(FILTER headers EXCLUDE REGEX "/internal/")
    set(sources)
    foreach(header IN LISTS headers)
        string(REGEX REPLACE "\\.h$" ".cc" source "${PROJECT_BINARY_DIR}/headers_alone/${header}")
        file(CONFIGURE OUTPUT "${source}" CONTENT "#include <@header@>\n#include <@header@>\n" @ONLY)
        list(APPEND sources "${source}")
    endforeach()
    add_library(coracle_headers_alone OBJECT EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(coracle_headers_alone PRIVATE coracle_options coracle_warnings Boost::headers)
endfunction()
