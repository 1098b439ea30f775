# Warnings are errors, in one place. Sanitizers too, because they must reach every object.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-align -Wunused
                    -Woverloaded-virtual -Wconversion -Wno-sign-conversion
                    -Wduplicated-cond -Wlogical-op -Werror -fno-omit-frame-pointer)
# C does not know three of them.
foreach(flag -Wnon-virtual-dtor -Woverloaded-virtual)
  get_directory_property(opts COMPILE_OPTIONS)
  list(REMOVE_ITEM opts ${flag})
  set_directory_properties(PROPERTIES COMPILE_OPTIONS "${opts}")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:${flag}>)
endforeach()
add_compile_definitions(_FORTIFY_SOURCE=2 _GNU_SOURCE)

if(FAULTLINE_SANITIZE STREQUAL "address+undefined")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -U_FORTIFY_SOURCE)
  add_link_options(-fsanitize=address,undefined)
elseif(FAULTLINE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -U_FORTIFY_SOURCE)
  add_link_options(-fsanitize=thread)
elseif(FAULTLINE_SANITIZE)
  message(FATAL_ERROR "FAULTLINE_SANITIZE=${FAULTLINE_SANITIZE}: expected address+undefined or thread")
endif()
