#include "doctor_probes.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <thread>

#include "member_watch.h"
#include "truss/measure/open_loop.h"
#include "truss/net/http_client.h"
#include "truss/peer/probe.h"

namespace truss::peertool {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRecordBytes = 2048;
constexpr off_t kFileBytes = 16 << 20;
constexpr Duration kSyncEvery = 10ms;
constexpr Duration kSpin = 8ms;
constexpr Duration kSleep = 2ms;
constexpr double kProbesPerSecond = 20;
constexpr Duration kGlance = 100ms;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string file_system_name(const std::string& dir) {
  struct statfs info {};
  if (::statfs(dir.c_str(), &info) != 0) return "unknown";
  switch (static_cast<unsigned long>(info.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs (memory: it keeps nothing)";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlayfs";
    case NFS_SUPER_MAGIC:
      return "nfs";
    case 0x2fc12fc1:
      return "zfs";
    default:
      return "file system " + std::to_string(info.f_type);
  }
}

/// An unnamed file, so that the directory stays as it is, its times included; where the file system
/// can't, a named one that is removed at once, and the times are put back.
Result<int> open_scratch(const std::string& dir) {
  const int fd = ::open(dir.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
    return fail_errno("make a file in " + dir, errno);
  }
  struct stat before {};
  if (::stat(dir.c_str(), &before) != 0) return fail_errno("stat " + dir, errno);
  std::string name = dir + "/.peerbench-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) return fail_errno("make a file in " + dir, errno);
  ::unlink(name.c_str());
  const std::array<timespec, 2> times = {before.st_atim, before.st_mtim};
  ::utimensat(AT_FDCWD, dir.c_str(), times.data(), 0);
  return named;
}

/// Time that this thread was ready to run and did not, since it began.
Duration run_delay() {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d/schedstat", ::gettid());
  std::ifstream in(path.data());
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  in >> ran >> waited;
  return Duration(waited);
}

Duration thread_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + Duration(t.tv_nsec);
}

struct MachineTime {
  double all = 0;
  double stolen = 0;
};
MachineTime machine_time() {
  std::ifstream in("/proc/stat");
  std::string cpu;
  in >> cpu;
  MachineTime out;
  for (int i = 0; i < 8; ++i) {
    double ticks = 0;
    in >> ticks;
    out.all += ticks;
    if (i == 7) out.stolen = ticks;
  }
  return out;
}

bool go_on(const Tick& tick, Duration done, Duration whole) {
  return !tick || tick(std::min(
                      static_cast<double>(done.count()) / static_cast<double>(whole.count()), 1.0));
}

Result<> sync_once(Clock& clock, int fd, off_t offset, const std::string& record,
                   measure::Histogram& syncs) {
  const Duration delayed = run_delay();
  const MonoTime start = clock.now();
  if (::pwrite(fd, record.data(), record.size(), offset) != static_cast<ssize_t>(record.size())) {
    return fail_errno("write the test file", errno);
  }
  if (::fdatasync(fd) != 0) return fail_errno("fdatasync the test file", errno);
  const Duration took = clock.now() - start;
  syncs.add(std::max(took - (run_delay() - delayed), Duration(0)));
  return {};
}

}  // namespace

Result<DiskFindings> probe_disk(Clock& clock, const std::string& dir, Duration duration,
                                const Tick& tick) {
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return fail(Code::kNotFound, dir + ": no such directory");
  }
  struct statvfs space {};
  if (::statvfs(dir.c_str(), &space) != 0) return fail_errno("statvfs " + dir, errno);
  DiskFindings out{.file_system = file_system_name(dir)};
  out.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  if (out.free_bytes < 4 * static_cast<std::uint64_t>(kFileBytes)) {
    return fail(Code::kResourceExhausted, dir + ": too little room left for a test (64 MiB)");
  }
  TRUSS_ASSIGN(const int opened, open_scratch(dir));
  const Descriptor file(opened);
  if (::posix_fallocate(file.get(), 0, kFileBytes) != 0 || ::fsync(file.get()) != 0) {
    return fail_errno("preallocate the test file in " + dir, errno);
  }
  const std::string record(kRecordBytes, 'w');
  off_t offset = 0;
  const MonoTime start = clock.now();
  const MonoTime end = start + duration;
  for (MonoTime due = start; due < end; due = std::max(due + kSyncEvery, clock.now())) {
    if (!go_on(tick, due - start, duration)) break;
    std::this_thread::sleep_for(due - clock.now());
    TRUSS_TRY(sync_once(clock, file.get(), offset, record, out.syncs));
    offset = (offset + static_cast<off_t>(kRecordBytes)) % kFileBytes;
  }
  return out;
}

ProcessorFindings probe_processor(Clock& clock, Duration duration, const Tick& tick) {
  ProcessorFindings out;
  const MonoTime start = clock.now();
  const MachineTime before = machine_time();
  Duration wanted{};
  Duration got{};
  while (clock.now() - start < duration && go_on(tick, clock.now() - start, duration)) {
    const MonoTime from = clock.now();
    const Duration ran = thread_time();
    while (thread_time() - ran < kSpin) {
    }
    wanted += clock.now() - from;
    got += thread_time() - ran;
    const MonoTime wake = clock.now() + kSleep;  // the kernel's own sleep: it is what is measured
    std::this_thread::sleep_until(wake);
    out.wake_up.add(clock.now() - wake);
  }
  const MachineTime after = machine_time();
  if (wanted > Duration::zero()) {
    out.stolen = std::max(
        0.0, 1 - std::chrono::duration<double>(got) / std::chrono::duration<double>(wanted));
  }
  if (after.all > before.all) {
    out.hypervisor = (after.stolen - before.stolen) / (after.all - before.all);
  }
  return out;
}

namespace {

/// The probes of one peer. Lives on: the net thread.
class PeerProbe {
 public:
  PeerProbe(net::IoThread& thread, Clock& clock, net::HttpClient& client, std::string url,
            Duration duration, Duration timeout)
      : clock_(clock), client_(client), timeout_(timeout) {
    while (url.ends_with('/')) url.pop_back();
    findings_.url = url;
    const measure::OpenLoopSpec spec{.per_second = kProbesPerSecond,
                                     .warm_up = 200ms,
                                     .duration = duration,
                                     .patience = timeout};
    loop_ = std::make_shared<measure::OpenLoop>(
        thread, clock, spec, [this](std::uint64_t index) { ask(index); },
        [this] { ended_.set_value(); });
  }

  void begin() { loop_->begin(); }
  bool ended(Duration patience) { return over_.wait_for(patience) == std::future_status::ready; }
  /// Thread: the net thread.
  PeerFindings findings() {
    loop_->cancel();
    const measure::OpenLoopResult& result = loop_->result();
    findings_.round_trips = result.latency();
    findings_.sent = result.started;
    findings_.failed = result.failed + result.unfinished;
    return findings_;
  }

 private:
  void ask(std::uint64_t index) {
    net::HttpCall call;
    call.url = findings_.url + "/raft/probing";
    call.times.connect = timeout_;
    call.times.whole = timeout_;
    const MonoTime sent = clock_.now();
    client_.fetch(std::move(call), [this, index, sent](const Result<net::HttpResponse>& got) {
      take(index, sent, got);
    });
  }
  void take(std::uint64_t index, MonoTime sent, const Result<net::HttpResponse>& got) {
    const MonoTime now = clock_.now();
    if (!got || got->status != 200) {
      findings_.error =
          got ? "answered " + std::to_string(got->status) + ": no peer URL?" : got.error().message;
      return loop_->fail(index);
    }
    const auto answer = peer::parse_probe_json(got->body);
    if (!answer || !answer->ok) {
      findings_.error = "no answer of a member: no peer URL?";
      return loop_->fail(index);
    }
    const Duration half = (now - sent) / 2;
    if (!findings_.clock_ahead || half < findings_.clock_error) {
      findings_.clock_ahead = answer->now - (clock_.wall() - half);
      findings_.clock_error = half;
    }
    loop_->finish(index, now);
  }

  Clock& clock_;
  net::HttpClient& client_;
  const Duration timeout_;
  PeerFindings findings_;
  std::shared_ptr<measure::OpenLoop> loop_;
  std::promise<void> ended_;
  std::future<void> over_ = ended_.get_future();
};

}  // namespace

std::vector<PeerFindings> probe_peers(Runtime& runtime, const std::vector<std::string>& urls,
                                      Duration duration, Duration timeout, const Tick& tick) {
  Clock& clock = runtime.clock();
  net::IoThread thread("probe", clock);
  auto client = std::make_unique<net::HttpClient>(thread, clock);
  std::vector<std::unique_ptr<PeerProbe>> probes;
  for (const std::string& url : urls) {
    probes.push_back(std::make_unique<PeerProbe>(thread, clock, *client, url, duration, timeout));
  }
  const MonoTime start = clock.now();
  for (const auto& probe : probes) probe->begin();
  bool stopped = false;
  for (const auto& probe : probes) {
    while (!stopped && !probe->ended(kGlance)) {
      stopped = !go_on(tick, clock.now() - start, duration);
    }
  }
  std::promise<std::vector<PeerFindings>> found;
  auto future = found.get_future();
  thread.post([&] {
    std::vector<PeerFindings> out;
    for (const auto& probe : probes) out.push_back(probe->findings());
    found.set_value(std::move(out));
  });
  auto out = future.get();
  client.reset();
  thread.stop();
  return out;
}

namespace {

/// One tick for several parts of the same length, which remembers that it was told to stop.
class Parts {
 public:
  Parts(const Tick& tick, double parts) : tick_(tick), parts_(parts) {}
  Tick next() {
    const double before = begun_++;
    return [this, before](double done) {
      stopped_ = stopped_ || (tick_ && !tick_((before + done) / parts_));
      return !stopped_;
    };
  }
  bool stopped() const { return stopped_; }

 private:
  const Tick& tick_;
  const double parts_;
  double begun_ = 0;
  bool stopped_ = false;
};

}  // namespace

Result<Findings> examine(Runtime& runtime, const DoctorOptions& options, const Tick& tick) {
  Findings out;
  const bool disk = !options.data_dir.empty();
  const bool peers = !options.peers.empty();
  Parts parts(tick, 1 + (disk ? 1 : 0) + (peers ? 1 : 0));
  MemberWatch members(runtime, options.peers, options.timeout);
  members.begin();
  if (disk) {
    TRUSS_ASSIGN(out.disk,
                 probe_disk(runtime.clock(), options.data_dir, options.duration, parts.next()));
  }
  if (peers && !parts.stopped()) {
    out.peers =
        probe_peers(runtime, options.peers, options.duration, options.timeout, parts.next());
  }
  if (!parts.stopped()) {
    out.processor = probe_processor(runtime.clock(), options.duration, parts.next());
  }
  if (parts.stopped()) return fail(Code::kCanceled, "interrupted");
  out.members = members.end();
  return out;
}

}  // namespace truss::peertool
