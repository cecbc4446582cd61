#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "truss/common/file_system.h"
#include "truss/common/process.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/wal.h"

// Append and replay of the write-ahead log on a real disk, as etcd's wal benchmarks measure them:
//   truss_wal_bench FOLDER [MEBIBYTES]

using namespace truss;

namespace {

PosixFileSystem disk;
SystemProcess process;

/// Wall and CPU seconds since its construction.
class Stopwatch {
 public:
  double wall() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  double cpu() const { return cpu_now() - cpu_; }

 private:
  static double cpu_now() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = cpu_now();
};

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(3);
}

template <class T>
T value_of(Result<T> result) {
  if (!result) give_up(result.error());
  return *std::move(result);
}

std::unique_ptr<wal::Wal> fresh(const std::string& dir) {
  if (auto gone = remove_all(disk, dir); !gone) give_up(gone.error());
  return value_of(wal::Wal::create(disk, process, dir, "bench", {}));
}

/// Saves `count` entries of `size` bytes, `batch` to a save.
void append(const std::string& dir, std::size_t size, std::size_t batch, std::size_t count) {
  const auto log = fresh(dir);
  const SharedBytes data = SharedBytes::copy(std::string(size, 'd'));
  std::vector<raft::Entry> entries(batch);
  const Stopwatch watch;
  raft::Index index{1};
  for (std::size_t done = 0; done < count; done += batch) {
    for (raft::Entry& entry : entries) {
      entry = {raft::Term(2), index, raft::EntryType::kNormal, data};
      ++index;
    }
    log->save({raft::Term(2), raft::NodeId(1), index - 1}, entries);
  }
  const auto n = static_cast<double>(count);
  std::printf("append %5zu B, batch %4zu: %8.3f us/entry wall, %7.3f us/entry cpu, %6.1f MB/s\n",
              size, batch, watch.wall() / n * 1e6, watch.cpu() / n * 1e6,
              n * static_cast<double>(size) / watch.wall() / 1e6);
  log->close();
}

void replay(const std::string& dir, std::size_t size, std::size_t count) {
  append(dir, size, 1000, count);
  const Stopwatch watch;
  const auto contents = value_of(wal::read_log(disk, dir, {}));
  const auto n = static_cast<double>(contents.entries.size());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("replay %5zu B: %.3f s, %.0f MB/s, %.3f us/entry cpu, peak memory %ld MB\n", size,
              watch.wall(), n * static_cast<double>(size) / watch.wall() / 1e6,
              watch.cpu() / n * 1e6, usage.ru_maxrss / 1024);
}

/// The same log through the bare reader: what a tool needs.
void scan(const std::string& dir) {
  const Stopwatch watch;
  std::vector<std::unique_ptr<File>> files;
  std::vector<wal::SegmentSource> sources;
  const auto names = value_of(disk.list(dir));
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    files.push_back(value_of(disk.open(join_path(dir, name), {})));
    sources.push_back({name, files.back().get()});
  }
  wal::LogReader reader(sources);
  wal::Record record;
  while (value_of(reader.next(record))) bytes += record.data.size();
  std::printf("scan: %.3f s, %.0f MB/s\n", watch.wall(),
              static_cast<double>(bytes) / watch.wall() / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [MEBIBYTES]\n", argv[0]);
    return 2;
  }
  const std::string dir = join_path(argv[1], "wal-bench");
  const std::size_t mebibytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 500;
  for (const std::size_t size : {100, 300, 1000}) {
    for (const std::size_t batch : {1, 10, 100, 1000}) append(dir, size, batch, 2000 * batch);
  }
  for (const std::size_t size : {300, 4096}) {
    replay(dir, size, (mebibytes << 20) / size / 1000 * 1000);
    scan(dir);
  }
  if (auto gone = remove_all(disk, dir); !gone) give_up(gone.error());
  return 0;
}
