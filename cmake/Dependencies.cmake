# Every library of the project, found once and here. Linked only where a folder's CMakeLists.txt names it.
# The Debian and Ubuntu packages that provide them are listed in cmake/packages.txt.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

find_package(Protobuf REQUIRED)          # protobuf::libprotobuf, protobuf::protoc
pkg_check_modules(absl_status REQUIRED IMPORTED_TARGET absl_status absl_statusor)
pkg_check_modules(grpcpp REQUIRED IMPORTED_TARGET grpc++)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

find_package(spdlog REQUIRED)            # spdlog::spdlog
find_package(fmt REQUIRED)               # fmt::fmt
pkg_check_modules(yaml_cpp REQUIRED IMPORTED_TARGET yaml-cpp)
find_path(NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp REQUIRED)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
find_package(SQLiteCpp REQUIRED)         # SQLiteCpp
pkg_check_modules(libpqxx REQUIRED IMPORTED_TARGET libpqxx)   # the PostgreSQL store links it
pkg_check_modules(libcurl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)

if(NOT FAULTLINE_UNIT_ONLY)
  pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET libbpf)
  pkg_check_modules(libnl REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
  pkg_check_modules(libnftnl REQUIRED IMPORTED_TARGET libnftnl libmnl)
  pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)   # looks up host names
  find_program(CLANG clang REQUIRED)
  find_program(LLVM_STRIP llvm-strip REQUIRED)
  # Ubuntu's bpftool in the path is a wrapper that wants the tools of the very kernel that runs; the real ones are here.
  file(GLOB linux_tools /usr/lib/linux-tools/* /usr/lib/linux-tools-*)
  find_program(BPFTOOL bpftool HINTS ${linux_tools} PATHS /usr/sbin /sbin REQUIRED)
endif()

if(FAULTLINE_TESTS)
  find_package(GTest REQUIRED)           # GTest::gtest_main, GTest::gmock
  find_package(benchmark REQUIRED)       # benchmark::benchmark
  pkg_check_modules(libxml2 REQUIRED IMPORTED_TARGET libxml-2.0)   # reads the JUnit XML back
endif()
