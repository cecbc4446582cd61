# Every outside package of the house, each as one imported or interface target (docs/decisions/).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(absl REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)

find_path(HTTP_PARSER_INCLUDE http_parser.h REQUIRED)
find_library(HTTP_PARSER_LIBRARY http_parser REQUIRED)
add_library(truss_http_parser INTERFACE)
target_include_directories(truss_http_parser SYSTEM INTERFACE ${HTTP_PARSER_INCLUDE})
target_link_libraries(truss_http_parser INTERFACE ${HTTP_PARSER_LIBRARY})

find_path(ASIO_INCLUDE asio.hpp REQUIRED)
add_library(truss_asio INTERFACE)
target_include_directories(truss_asio SYSTEM INTERFACE ${ASIO_INCLUDE})
target_compile_definitions(truss_asio INTERFACE
  ASIO_STANDALONE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED
  # Asio finds aligned_alloc only if a standard header comes first; both ways must not mix.
  ASIO_DISABLE_STD_ALIGNED_ALLOC)
target_link_libraries(truss_asio INTERFACE Threads::Threads)
