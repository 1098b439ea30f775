# faultline_bpf_skeleton(NAME): compiles bpf/NAME.bpf.c with clang and generates NAME.skel.h beside the objects.
# Gives the INTERFACE target bpf_NAME; including "NAME.skel.h" needs only that target. Header changes are
# tracked through clang's own dependency file.
function(faultline_bpf_skeleton name)
  set(src ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(obj ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skel ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  string(REPLACE "x86_64" "x86" arch "${CMAKE_SYSTEM_PROCESSOR}")
  string(REPLACE "aarch64" "arm64" arch "${arch}")

  add_custom_command(
    OUTPUT ${obj}
    COMMAND ${CLANG} -target bpf -D__TARGET_ARCH_${arch} -O2 -g -mcpu=v3 -Wall -Wextra -Werror
            -Wno-unused-parameter -Wno-missing-declarations
            -I${CMAKE_SOURCE_DIR} -isystem /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -MD -MT ${obj} -MF ${obj}.d -c ${src} -o ${obj}
    COMMAND ${LLVM_STRIP} -g ${obj}
    DEPENDS ${src}
    DEPFILE ${obj}.d
    COMMENT "BPF ${name}"
    VERBATIM)
  add_custom_command(
    OUTPUT ${skel}
    COMMAND ${BPFTOOL} gen skeleton ${obj} name ${name} > ${skel}.tmp
    COMMAND ${CMAKE_COMMAND} -E rename ${skel}.tmp ${skel}
    DEPENDS ${obj}
    COMMENT "Skeleton ${name}"
    VERBATIM)

  add_custom_target(bpf_${name}_skel DEPENDS ${skel})
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skel)
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(bpf_${name} INTERFACE PkgConfig::libbpf)
endfunction()
