#include "truss/snap/image.h"

#include <doctest/doctest.h>

#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::snap;

namespace {

std::string hex_of(const ImageHash& hash) { return to_hex({hash.data(), hash.size()}); }

/// A snapshot file of `bytes` at /s.db.
void write_image(FileSystem& fs, ByteView bytes) {
  ImageWriter writer = ImageWriter::create(fs, "/s.db").value();
  REQUIRE(writer.append(bytes.substr(0, bytes.size() / 3)).has_value());
  REQUIRE(writer.append(bytes.substr(bytes.size() / 3)).has_value());
  REQUIRE(writer.finish().has_value());
}

}  // namespace

TEST_CASE("the hash is SHA-256") {
  ImageHasher hasher;
  hasher.update("a");
  hasher.update("bc");
  CHECK(hex_of(hasher.finish()) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a written snapshot file verifies, and is durable") {
  testing::SimFileSystem fs;
  const std::string image(5 * 4096, 'i');
  write_image(fs, image);
  CHECK(fs.unsynced() == 0);
  CHECK(fs.list("/").value() == std::vector<std::string>{"s.db"});
  CHECK(fs.stat("/s.db")->size == image.size() + 32);
  const ImageInfo info = verify_image(fs, "/s.db").value();
  CHECK(info.hashed);
  CHECK(info.image_bytes == image.size());
}

TEST_CASE("a changed byte of image or trailer is found") {
  for (const std::uint64_t at : {0, 4095, 8191, 8192, 8223}) {
    testing::SimFileSystem fs;
    write_image(fs, std::string(8192, 'i'));
    REQUIRE(fs.open("/s.db", {.write = true}).value()->pwrite("!", at).has_value());
    const auto verdict = verify_image(fs, "/s.db");
    REQUIRE_FALSE(verdict.has_value());
    CHECK(verdict.error().code == Code::kCorruption);
    CHECK(verdict.error().message.find("/s.db: expected sha256 ") == 0);
  }
}

TEST_CASE("a file of whole pages carries no hash") {
  testing::SimFileSystem fs;
  const auto file = fs.open("/db", {.write = true, .create = true}).value();
  REQUIRE(file->pwrite(std::string(8192, 'x'), 0).has_value());
  const ImageInfo info = verify_image(fs, "/db").value();
  CHECK_FALSE(info.hashed);
  CHECK(info.image_bytes == 8192);
}
