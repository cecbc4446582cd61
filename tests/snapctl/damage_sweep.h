#pragma once

#include <doctest/doctest.h>

#include <string>

#include "small_db.h"
#include "truss/snaptool/hash_kv.h"
#include "truss/snaptool/status.h"
#include "truss/snaptool/verify.h"
#include "truss/test_support/temp_dir.h"

namespace truss::snaptool_test {

using namespace snaptool;

/// A small snapshot (1024-byte pages) to be damaged.
class DamageSweep {
 public:
  DamageSweep() {
    std::vector<Change> history = known_history();
    for (std::int64_t i = 13; i < 40; ++i) {
      history.push_back({i, 0, "key/" + std::to_string(i), std::string(60, 'v')});
    }
    write_db(dir_ / "db", history);
    snapshot(dir_ / "db", dir_ / "s");
    whole_ = contents(dir_ / "s");
    right_ = read_status(disk_, dir_ / "s", kChecked).value();
  }
  const std::string& whole() const { return whole_; }
  std::string without_trailer() const { return whole_.substr(0, whole_.size() - 32); }

  /// Whether status, verify and hashkv all refuse these bytes.
  bool refused(const std::string& bytes) {
    write_file(dir_ / "d", bytes);
    const bool found = verify(disk_, dir_ / "d", false, [](auto, const auto&) {})->faults > 0;
    return found && !read_status(disk_, dir_ / "d", kChecked);
  }
  /// Cut by exactly its trailer the file is a whole db: status says so, verify wants the hash.
  bool accepted_without_hash(const std::string& bytes) {
    write_file(dir_ / "d", bytes);
    const auto status = read_status(disk_, dir_ / "d", kChecked);
    const bool found = verify(disk_, dir_ / "d", false, [](auto, const auto&) {})->faults > 0;
    return found && status && !status->hashed && status->hash == right_.hash;
  }
  /// Walks whatever is there: it may find faults or not, but ends.
  void walk(const std::string& bytes) {
    write_file(dir_ / "d", bytes);
    (void)read_status(disk_, dir_ / "d", {.any_size = true, .threads = 2});
    (void)verify(disk_, dir_ / "d", true, [](auto, const auto&) {});
    if (auto file = DbFile::open(disk_, dir_ / "d")) (void)hash_kv(file->tx(), 0);
  }

 private:
  static constexpr StatusOptions kChecked{.check_hash = true};

  PosixFileSystem disk_;
  test_support::TempDir dir_;
  std::string whole_;
  Status right_;
};

inline std::string flipped(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

}  // namespace truss::snaptool_test
