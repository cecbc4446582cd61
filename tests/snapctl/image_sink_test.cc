#include "image_sink.h"

#include <doctest/doctest.h>

#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::snaptool;
using truss::testing::SimFileSystem;

namespace {

constexpr std::size_t kBlock = ImageSink::kBlockBytes;

std::string bytes_of(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 2654435761U >> 13);
  return out;
}

/// Gives `bytes` to a sink in pieces of `piece` bytes.
Result<> pour(ImageSink& sink, ByteView bytes, std::size_t piece) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    TRUSS_TRY(sink.write(bytes.substr(0, piece)));
  }
  return sink.finish();
}

}  // namespace

TEST_CASE("image sink: what comes in is on disk and hashed, at every edge of a block") {
  for (const unsigned threads : {1U, 2U}) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{31}, std::size_t{32}, std::size_t{4096}, kBlock - 1, kBlock,
          kBlock + 1, kBlock + 31, kBlock + 32, 5 * kBlock, 9 * kBlock + 4128}) {
      CAPTURE(threads);
      CAPTURE(size);
      const std::string bytes = bytes_of(size);
      SimFileSystem disk;
      auto sink = ImageSink::create(disk, "/image", {.trailer_bytes = 32, .threads = threads});
      REQUIRE(sink.has_value());
      REQUIRE(pour(**sink, bytes, 32 * 1024 + 7).has_value());
      CHECK((*sink)->bytes() == size);
      CHECK((*read_file(disk, "/image") == bytes));
      REQUIRE(disk.sync_dir("/").has_value());
      CHECK(disk.unsynced() == 0);
      const std::size_t hashed = size < 32 ? 0 : size - 32;
      snap::ImageHasher expected;
      expected.update(ByteView(bytes).substr(0, hashed));
      CHECK(((*sink)->hasher().trailer() == ByteView(bytes).substr(hashed)));
      CHECK(((*sink)->hasher().finish() == expected.finish()));
    }
  }
}

TEST_CASE("image sink: a file that was there is refused, or cut to nothing") {
  SimFileSystem disk;
  REQUIRE(disk.open("/image", {.write = true, .create = true}).value()->pwrite("old content", 0));
  const auto refused = ImageSink::create(disk, "/image", {.exclusive = true});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::kAlreadyExists);
  auto sink = ImageSink::create(disk, "/image", {});
  REQUIRE(sink.has_value());
  REQUIRE(pour(**sink, "new", 8).has_value());
  CHECK(*read_file(disk, "/image") == "new");
}

TEST_CASE("image sink: a write that fails is told, also one of a block given long before") {
  for (const unsigned threads : {1U, 2U}) {
    for (const std::uint64_t point : {1U, 3U, 6U}) {
      CAPTURE(threads);
      CAPTURE(point);
      SimFileSystem disk;
      auto sink = ImageSink::create(disk, "/image", {.threads = threads});
      REQUIRE(sink.has_value());
      disk.stop_after(disk.points() + point);
      CHECK_FALSE(pour(**sink, bytes_of(7 * kBlock), kBlock / 2).has_value());
    }
  }
}

TEST_CASE("image sink: dropped half-way it ends its threads") {
  SimFileSystem disk;
  auto sink = ImageSink::create(disk, "/image", {.threads = 2});
  REQUIRE(sink.has_value());
  REQUIRE((*sink)->write(bytes_of(2 * kBlock + 5)).has_value());
}
