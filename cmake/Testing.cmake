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

# The kernels that kernel tests and VM tests run on: series known to tests/kernel/vm/fetch-kernel.
# docs/kernel-support.md has a column for each of FAULTLINE_DOCUMENTED_KERNELS.
set(FAULTLINE_DOCUMENTED_KERNELS 6.1 6.12)
set(FAULTLINE_KERNELS ${FAULTLINE_DOCUMENTED_KERNELS} CACHE STRING "Kernels that the tests in VMs run on")
set(FAULTLINE_VM ${CMAKE_SOURCE_DIR}/tests/kernel/vm)
set(FAULTLINE_VM_RESULTS ${CMAKE_BINARY_DIR}/vm)
# The first boot of a kernel fetches it. Boots run alone (RUN_SERIAL): they measure time and use two processors.
set(FAULTLINE_VM_FETCH_SECONDS 300)

# faultline_kernel_test(NAME [DEADLINE SECONDS] SOURCES... LIBS...): a GoogleTest binary that runs on each of
# FAULTLINE_KERNELS in a VM. ctest sees each case as kernel-SERIES.SUITE.CASE, labels kernel and kernel-SERIES. All
# such binaries share one boot per kernel, the ctest fixture kernel-SERIES.boot (see faultline_kernel_boots).
function(faultline_kernel_test name)
  cmake_parse_arguments(arg "" "DEADLINE" "SOURCES;LIBS" ${ARGN})
  if(NOT arg_DEADLINE)
    set(arg_DEADLINE 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gtest_main GTest::gmock)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  set_property(GLOBAL APPEND PROPERTY FAULTLINE_KERNEL_TESTS "$<TARGET_FILE:${name}>@${arg_DEADLINE}")

  # The cases are asked of the binary whenever it is linked, so their names cannot go stale.
  set(cases ${CMAKE_CURRENT_BINARY_DIR}/${name}_cases.cmake)
  add_custom_command(
    TARGET ${name} POST_BUILD
    BYPRODUCTS ${cases}
    COMMAND ${CMAKE_COMMAND} -D BINARY=$<TARGET_FILE:${name}> "-D KERNELS=${FAULTLINE_KERNELS}"
            -D CHECK=${FAULTLINE_VM}/check-result -D RESULTS=${FAULTLINE_VM_RESULTS} -D CASES=${cases}
            -P ${CMAKE_SOURCE_DIR}/cmake/KernelTestCases.cmake
    VERBATIM)
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${name}_include.cmake)
  file(WRITE ${include} "if(EXISTS \"${cases}\")\n  include(\"${cases}\")\nelse()\n"
                        "  add_test(kernel.${name}_NOT_BUILT ${name}_NOT_BUILT)\n"
                        "  set_tests_properties(kernel.${name}_NOT_BUILT PROPERTIES LABELS kernel)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()

# faultline_kernel_boots(): the boot of each kernel with every kernel test declared so far; call it once, last.
function(faultline_kernel_boots)
  get_property(tests GLOBAL PROPERTY FAULTLINE_KERNEL_TESTS)
  set(seconds 2400)
  math(EXPR timeout "${seconds} + ${FAULTLINE_VM_FETCH_SECONDS}")
  foreach(kernel IN LISTS FAULTLINE_KERNELS)
    add_test(NAME kernel-${kernel}.boot COMMAND ${FAULTLINE_VM}/run-tests --kernel ${kernel} --timeout ${seconds}
                                                --out ${FAULTLINE_VM_RESULTS}/${kernel} ${tests})
    set_tests_properties(kernel-${kernel}.boot PROPERTIES FIXTURES_SETUP kernel-${kernel} RUN_SERIAL TRUE
                         TIMEOUT ${timeout} LABELS "kernel;kernel-${kernel}")
  endforeach()
endfunction()

# faultline_vm_test(NAME COMMAND... [TIMEOUT SECONDS] [MEMORY MIB]): a command in a boot of its own on each of
# FAULTLINE_KERNELS, as e2e-SERIES.NAME, labels e2e and e2e-SERIES. It passes if the command exits with 0. The
# command finds a folder for its results in $FAULTLINE_OUT; they stay in vm/e2e-SERIES.NAME of the build folder.
function(faultline_vm_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;MEMORY" "COMMAND" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(NOT arg_MEMORY)
    set(arg_MEMORY 2048)
  endif()
  math(EXPR timeout "${arg_TIMEOUT} + ${FAULTLINE_VM_FETCH_SECONDS}")
  foreach(kernel IN LISTS FAULTLINE_KERNELS)
    set(test e2e-${kernel}.${name})
    add_test(NAME ${test} COMMAND ${FAULTLINE_VM}/run --kernel ${kernel} --timeout ${arg_TIMEOUT}
                                  --memory ${arg_MEMORY} --out ${FAULTLINE_VM_RESULTS}/${test} -- ${arg_COMMAND})
    set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE TIMEOUT ${timeout} LABELS "e2e;e2e-${kernel}")
  endforeach()
endfunction()
