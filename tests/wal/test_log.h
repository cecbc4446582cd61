#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/segment.h"
#include "truss/wal/wal.h"

namespace truss::wal {

inline raft::Entry entry(std::uint64_t term, std::uint64_t index, ByteView data = {}) {
  return {.term = raft::Term(term), .index = raft::Index(index), .data = SharedBytes::copy(data)};
}

inline raft::HardState hard_state(std::uint64_t term, std::uint64_t vote, std::uint64_t commit) {
  return {raft::Term(term), raft::NodeId(vote), raft::Index(commit)};
}

inline raft::SnapshotMark mark(std::uint64_t index, std::uint64_t term) {
  return {raft::Index(index), raft::Term(term)};
}

/// A log in /data/wal of a simulated disk.
struct TestLog {
  testing::SimFileSystem fs;
  testing::SimProcess process;
  std::string dir = "/data/wal";
  Options options;
  std::unique_ptr<Wal> wal;

  TestLog() {
    REQUIRE(fs.make_dir("/data").has_value());
    REQUIRE(fs.sync_dir("/").has_value());
    options.segment_bytes = 16 << 10;
  }
  void create(ByteView metadata = "meta") {
    wal = Wal::create(fs, process, dir, metadata, options).value();
  }
  void open(raft::SnapshotMark from = {}) {
    wal.reset();
    wal = Wal::open(fs, process, dir, from, options).value();
  }
  /// Opens and reads.
  ReadResult reopen(raft::SnapshotMark from = {}) {
    open(from);
    return wal->read_all().value();
  }
  void save(const std::vector<raft::Entry>& entries, const raft::HardState& state = {}) {
    wal->save(state, entries);
  }
  std::vector<std::string> files() { return fs.list(dir).value(); }
  std::string path(const std::string& name) { return join_path(dir, name); }
  std::string bytes_of(const std::string& name) { return read_file(fs, path(name)).value(); }
  void overwrite(const std::string& name, ByteView bytes, std::uint64_t offset) {
    const auto file = fs.open(path(name), {.write = true}).value();
    REQUIRE(file->pwrite(bytes, offset).has_value());
  }
};

inline constexpr const char* kFirstSegment = "0000000000000000-0000000000000000.wal";

}  // namespace truss::wal
