# GTest::gtest_main: the system's, or built from Debian's source package where that is for another
# architecture.
find_package(GTest QUIET)
if(NOT GTest_FOUND)
  set(source /usr/src/googletest)
  if(NOT EXISTS ${source}/CMakeLists.txt)
    message(FATAL_ERROR "no GoogleTest for ${CMAKE_SYSTEM_PROCESSOR}: install googletest")
  endif()
  set(BUILD_GMOCK OFF CACHE BOOL "")
  set(INSTALL_GTEST OFF CACHE BOOL "")
  add_subdirectory(${source} ${CMAKE_CURRENT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)
endif()
