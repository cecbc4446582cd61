#include <cstdio>
#include <cstdlib>

#include "truss/common/testing/memory_logger.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/snap/image.h"
#include "truss/snaptool/hash_kv.h"
#include "truss/snaptool/restore.h"
#include "truss/snaptool/status.h"
#include "truss/snaptool/verify.h"

// Any bytes as a snapshot: as they are, and with the SHA-256 that fits them behind. What verify
// finds sound has a status (the same whoever walks it) and a HashKV, and restores to a db that is
// sound and gives the same HashKV. What has a wrong hash is never sound.
using namespace truss;
using namespace truss::snaptool;

namespace {

constexpr std::size_t kMaxBytes = 1 << 18;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

void write_file(FileSystem& fs, const std::string& path, const std::string& bytes) {
  const auto file = fs.open(path, {.write = true, .create = true, .truncate = true});
  expect(file && (*file)->pwrite(bytes, 0), "the simulated disk failed");
}

void ignore(std::string_view, const std::string&) {}

/// One thread and three see the same; without a structure that holds, neither sees anything.
Result<Status> both_status(FileSystem& fs, const std::string& path) {
  auto one = read_status(fs, path, {.any_size = true});
  const auto three = read_status(fs, path, {.any_size = true, .threads = 3});
  expect(one.has_value() == three.has_value(), "status depends on the number of threads");
  if (!one) return one;
  expect(one->hash == three->hash && one->revision == three->revision &&
             one->total_keys == three->total_keys && one->live_keys == three->live_keys,
         "the numbers of status depend on the number of threads");
  return one;
}

std::optional<std::uint32_t> hash_of(FileSystem& fs, const std::string& path, std::int64_t at) {
  auto file = DbFile::open(fs, path);
  if (!file) return std::nullopt;
  const auto hash = hash_kv(file->tx(), at);
  if (!hash) return std::nullopt;
  return hash->hash;
}

void check_restore(testing::SimFileSystem& fs, const std::string& path, bool skip_hash_check,
                   const Inventory& found) {
  testing::SimProcess process;
  testing::MemoryLogger log;
  const auto made = restore(
      fs, process, log, {.snapshot = path, .data_dir = "/d", .skip_hash_check = skip_hash_check});
  expect(made.has_value(), "verify finds it sound, restore doesn't: " +
                               (made ? std::string() : made.error().message));
  Inventory again = *verify(fs, "/d", true, ignore);
  expect(again.faults == 0, "a restored db is damaged");
  expect(again.records == found.records && again.live_keys == found.live_keys &&
             again.revision == found.revision,
         "a restored db holds something else");
  expect(hash_of(fs, path, 0) == hash_of(fs, "/d", 0), "a restored db has another HashKV");
}

void check(const std::string& bytes, bool skip_hash_check) {
  testing::SimFileSystem fs;
  write_file(fs, "/s", bytes);
  const auto status = both_status(fs, "/s");
  const auto found = verify(fs, "/s", skip_hash_check, ignore);
  const auto hash = hash_of(fs, "/s", 0);
  if (!found || found->faults != 0) return;
  expect(skip_hash_check || found->hashed, "verify believes a file without a hash");
  expect(status.has_value(), "verify finds it sound, status doesn't: " +
                                 (status ? std::string() : status.error().message));
  // A file may say that a compaction is done which never was; then status believes it.
  expect(found->compact_revision >= 0 || status->live_keys == found->live_keys,
         "status counts other living keys than verify");
  expect(hash.has_value(), "verify finds it sound, hashkv fails");
  check_restore(fs, "/s", skip_hash_check, *found);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxBytes) return 0;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  check(bytes, true);
  check(bytes, false);
  snap::ImageHasher hasher;
  hasher.update(bytes);
  const snap::ImageHash hash = hasher.finish();
  bytes.append(hash.data(), hash.size());
  check(bytes, false);
  return 0;
}
