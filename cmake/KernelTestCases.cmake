# Writes CASES, a file for ctest with one test for each case of the GoogleTest BINARY on each of KERNELS. A part of
# faultline_kernel_test, run whenever BINARY was linked.
execute_process(COMMAND ${BINARY} --gtest_list_tests OUTPUT_VARIABLE list RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${BINARY} --gtest_list_tests: ${result}")
endif()
get_filename_component(name ${BINARY} NAME)

# "Suite." or "  Case", each with an optional "  # GetParam() = ...", which may hold any character.
string(REGEX REPLACE " +#[^\n]*" "" list "${list}")
string(REPLACE "\n" ";" lines "${list}")
set(content "")
foreach(line IN LISTS lines)
  if(line MATCHES "^([^ ]+\\.)$")
    set(suite ${CMAKE_MATCH_1})
  elseif(line MATCHES "^  ([^ ]+)$")
    set(case ${suite}${CMAKE_MATCH_1})
    if(case MATCHES "DISABLED_")
      continue()
    endif()
    foreach(kernel IN LISTS KERNELS)
      string(APPEND content
             "add_test([==[kernel-${kernel}.${case}]==] [==[${CHECK}]==] [==[${RESULTS}/${kernel}]==] "
             "[==[${name}]==] [==[${case}]==])\n"
             "set_tests_properties([==[kernel-${kernel}.${case}]==] PROPERTIES FIXTURES_REQUIRED kernel-${kernel} "
             "LABELS [==[kernel;kernel-${kernel}]==] TIMEOUT 30)\n")
    endforeach()
  endif()
endforeach()
if(content STREQUAL "")
  message(FATAL_ERROR "${BINARY} has no test cases")
endif()
file(WRITE ${CASES} "${content}")
