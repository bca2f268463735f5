# What `cmake --install` lays down: headers, archives, CoracleConfig.cmake, coracle.pc and the co_await lint.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Every header, those in internal/ too: public templates include some of them. Installed is not the same as public.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/coracle" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h")

get_property(modules GLOBAL PROPERTY CORACLE_MODULES)
get_property(archives GLOBAL PROPERTY CORACLE_ARCHIVES)

# Coracle::Coracle is all of it.
add_library(coracle_all INTERFACE)
add_library(Coracle::Coracle ALIAS coracle_all)
set_target_properties(coracle_all PROPERTIES EXPORT_NAME Coracle)
list(TRANSFORM modules PREPEND coracle_ OUTPUT_VARIABLE targets)
target_link_libraries(coracle_all INTERFACE ${targets})

install(TARGETS ${targets} coracle_all coracle_options EXPORT CoracleTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT CoracleTargets NAMESPACE Coracle:: DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/Coracle")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/CoracleConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/CoracleConfig.cmake"
    INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/Coracle")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/CoracleConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/CoracleConfig.cmake" "${PROJECT_BINARY_DIR}/CoracleConfigVersion.cmake"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/Coracle")

# Static archives name their users first: the modules, last declared first, then what they stand on.
set(CORACLE_PC_LIBS)
foreach(archive IN LISTS archives)
    list(PREPEND CORACLE_PC_LIBS "-l${archive}")
endforeach()
list(APPEND CORACLE_PC_LIBS ${CORACLE_SYSTEM_LIBS})
list(JOIN CORACLE_PC_LIBS " " CORACLE_PC_LIBS)
file(RELATIVE_PATH CORACLE_PC_ROOT "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/cmake/coracle.pc.in" "${PROJECT_BINARY_DIR}/coracle.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/coracle.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(PROGRAMS "${PROJECT_SOURCE_DIR}/tools/lint_await.sh" DESTINATION "${CMAKE_INSTALL_BINDIR}"
    RENAME coracle-lint-await)
install(FILES "${PROJECT_SOURCE_DIR}/tools/lint_await_bad.cc"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/coracle")
