#include <doctest/doctest.h>

#include <thread>

#include "test_log.h"
#include "truss/common/executor.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::wal;

// The real file system and a real thread that preallocates, beside a writer, readers and purge.
namespace {

constexpr std::uint64_t kEntries = 600;

std::vector<raft::Entry> one_entry(std::uint64_t index) {
  return {entry(1, index, std::string(700, static_cast<char>('a' + index % 26)))};
}

}  // namespace

TEST_CASE("a writer, its preallocator, a reader and a purger share a directory") {
  const test_support::TempDir dir;
  const std::string path = dir / "wal";
  PosixFileSystem fs;
  testing::SimProcess process;
  ThreadRuntime runtime;
  const auto allocator = runtime.make_executor("wal-alloc");
  const auto purger = runtime.make_executor("purge");
  Options options;
  options.segment_bytes = 16 << 10;
  options.allocator = allocator.get();
  options.sync = false;  // it is the threads that are under test here

  auto wal = Wal::create(fs, process, path, "meta", options).value();
  std::size_t purged = 0;
  for (std::uint64_t i = 1; i <= kEntries; ++i) {
    wal->save(hard_state(1, 1, i - 1), one_entry(i));
    if (i % 100 != 0) continue;
    wal->release_to(raft::Index(i - 50));
    purger->post([&fs, &path, &purged] {
      const auto removed = purge(fs, path, {3, raft::Index(kEntries)});
      purged += removed ? removed->size() : 0;
    });
  }
  purger->stop();
  purged += purge(fs, path, {3, raft::Index(kEntries)}).value().size();
  wal->close();
  allocator->stop();
  CHECK(purged > 10);

  const auto names = fs.list(path).value();
  for (const std::string& name : names) CHECK_MESSAGE(parse_segment_name(name), name);
  const auto opened = open_and_read(fs, process, path, mark(kEntries - 50, 1), options).value();
  REQUIRE(opened.contents.entries.size() == 50);
  CHECK(opened.contents.entries.back() == one_entry(kEntries)[0]);
}

TEST_CASE("a dropped writer and its late preallocation do not disturb the next") {
  const test_support::TempDir dir;
  const std::string path = dir / "wal";
  PosixFileSystem fs;
  testing::SimProcess process;
  ThreadRuntime runtime;
  const auto allocator = runtime.make_executor("wal-alloc");
  Options options;
  options.segment_bytes = 8 << 10;
  options.allocator = allocator.get();
  options.sync = false;
  Wal::create(fs, process, path, "meta", options).value().reset();
  for (std::uint64_t i = 1; i <= 40; ++i) {
    auto opened = open_and_read(fs, process, path, {}, options).value();
    REQUIRE(opened.contents.entries.size() == i - 1);
    opened.wal->save({}, one_entry(i));
  }
  allocator->stop();
}
