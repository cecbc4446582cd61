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
//   truss_wal_bench FOLDER [MEBIBYTES]               all of it, a line each
//   truss_wal_bench append FOLDER SIZE BATCH COUNT    one kind of append, as JSON
//   truss_wal_bench read LOG                          one replay of a log that is there, as JSON

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

struct Cost {
  double wall_us = 0;
  double cpu_us = 0;
};

/// Saves `count` entries of `size` bytes, `batch` to a save. Returns what an entry cost.
Cost append(const std::string& dir, std::size_t size, std::size_t batch, std::size_t count) {
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
  const Cost out{watch.wall() / n * 1e6, watch.cpu() / n * 1e6};
  log->close();
  return out;
}

void append_line(const std::string& dir, std::size_t size, std::size_t batch, std::size_t count) {
  const Cost cost = append(dir, size, batch, count);
  std::printf("append %5zu B, batch %4zu: %8.3f us/entry wall, %7.3f us/entry cpu, %6.1f MB/s\n",
              size, batch, cost.wall_us, cost.cpu_us, static_cast<double>(size) / cost.wall_us);
}

long peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void replay(const std::string& dir, std::size_t size, std::size_t count) {
  append_line(dir, size, 1000, count);
  const Stopwatch watch;
  const auto contents = value_of(wal::read_log(disk, dir, {}));
  const auto n = static_cast<double>(contents.entries.size());
  std::printf("replay %5zu B: %.3f s, %.0f MB/s, %.3f us/entry cpu, peak memory %ld MB\n", size,
              watch.wall(), n * static_cast<double>(size) / watch.wall() / 1e6,
              watch.cpu() / n * 1e6, peak_megabytes());
}

void read_once(const std::string& dir) {
  const Stopwatch watch;
  const auto contents = value_of(wal::read_log(disk, dir, {}));
  std::printf("{\"entries\": %zu, \"seconds\": %.4f, \"cpu_seconds\": %.4f, \"peak_mb\": %ld}\n",
              contents.entries.size(), watch.wall(), watch.cpu(), peak_megabytes());
}

void append_once(char** argv) {
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  const std::string dir = join_path(argv[2], "wal-bench");
  const Cost cost = append(dir, number(3), number(4), number(5));
  std::printf("{\"wall_us\": %.4f, \"cpu_us\": %.4f}\n", cost.wall_us, cost.cpu_us);
  if (auto gone = remove_all(disk, dir); !gone) give_up(gone.error());
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

void everything(const std::string& dir, std::size_t mebibytes) {
  for (const std::size_t size : {100, 300, 1000}) {
    for (const std::size_t batch : {1, 10, 100, 1000}) append_line(dir, size, batch, 2000 * batch);
  }
  for (const std::size_t size : {300, 4096}) {
    replay(dir, size, (mebibytes << 20) / size / 1000 * 1000);
    scan(dir);
  }
  if (auto gone = remove_all(disk, dir); !gone) give_up(gone.error());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "append" && argc == 6) {
    append_once(argv);
  } else if (command == "read" && argc == 3) {
    read_once(argv[2]);
  } else if (argc == 2 || argc == 3) {
    everything(join_path(argv[1], "wal-bench"),
               argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 500);
  } else {
    std::fprintf(stderr,
                 "usage: %s FOLDER [MEBIBYTES] | append FOLDER SIZE BATCH COUNT | read LOG\n",
                 argv[0]);
    return 2;
  }
  return 0;
}
