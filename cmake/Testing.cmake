include(CTest)
if(FAULTLINE_TESTS)
  include(GoogleTest)
endif()

# faultline_unit_test(NAME SOURCES... LIBS...): a GoogleTest binary whose cases ctest lists one by one.
# Unit tests need no root and touch nothing outside a temporary folder.
function(faultline_unit_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest_main GTest::gmock)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  gtest_discover_tests(${name} TEST_PREFIX unit. PROPERTIES LABELS unit TIMEOUT 60)
endfunction()
