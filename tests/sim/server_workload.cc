#include "server_workload.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "kv_model.h"
#include "sim_server.h"
#include "truss/bolt/bolt.h"
#include "truss/common/check.h"
#include "truss/schema/meta.h"
#include "truss/wal/maintenance.h"

namespace truss::testing {
namespace {

constexpr const char* kDb = "/data/member/member/snap/db";

server::Config config_of(const ServerWorkload& spec) {
  server::Config config = sim_config();
  config.compat = spec.level;
  if (spec.raise_level) config.compat.reset();  // whatever the directory has reached
  config.wal_segment_bytes = spec.segment_bytes;
  config.snapshot_count = spec.snapshot_count;
  config.wal_dir = spec.wal_dir;
  return config;
}

std::string wal_dir_of(const ServerWorkload& spec) {
  return spec.wal_dir.empty() ? "/data/member/member/wal" : spec.wal_dir;
}

/// The db must not be ahead of the log: `consistent_index` is in it as committed. `disk` is spoilt.
Verdict judge_order(SimFileSystem& disk, const std::string& wal_dir) {
  if (!exists(disk, kDb)) return {};
  auto db = bolt::DB::open(disk, kDb, {.read_only = true});
  if (!db) return {};  // whether that is fine is for the member to say
  auto tx = (*db)->begin_read();
  if (!tx) return "begin: " + tx.error().message;
  const auto meta = schema::read_meta(*tx);
  if (!meta) return "meta: " + meta.error().message;
  if (meta->consistent_index == 0) return {};
  const auto marks = wal::valid_snapshots(disk, wal_dir);
  if (!marks) return "db without log: " + marks.error().message;
  raft::SnapshotMark newest;
  for (const auto& record : *marks) newest = std::max(newest, record.mark);
  const auto log = wal::read_log(disk, wal_dir, newest);
  if (!log) return "log: " + log.error().message;
  const std::uint64_t commit = log->hard_state.commit.value();
  if (meta->consistent_index <= commit) return {};
  return "db at index " + std::to_string(meta->consistent_index) +
         " is ahead of the log's commit " + std::to_string(commit);
}

/// Judges crashed disks against what the clients know.
class Judge {
 public:
  Judge(const ServerWorkload& spec, const History& history, bool again = true)
      : spec_(spec), history_(history), again_(again) {}

  Verdict operator()(SimFileSystem& disk) {
    const std::uint64_t seed = 1000 + crashes_++;
    if (Verdict verdict = judge_order(*disk.clone(), wal_dir_of(spec_)); !verdict.empty()) {
      return verdict;
    }
    SimServer member(disk, seed, config_of(spec_));
    if (Verdict verdict = judge_start(disk, member, seed); !verdict.empty()) return verdict;
    auto seen = member.read_all();
    if (!seen) return "read: " + seen.error().message;
    if (Verdict verdict = history_.explain(*seen); !verdict.empty()) return verdict;
    if (Verdict verdict = judge_compaction(member); !verdict.empty()) return verdict;
    return judge_going_on(disk, member, *std::move(seen), seed);
  }

 private:
  /// It starts; now and then it is crashed again at points on its way.
  Verdict judge_start(SimFileSystem& disk, SimServer& member, std::uint64_t seed) {
    if (!again_ || seed % 64 != 0) return member.start();
    CrashSweep sweep({.seed = seed, .copies_per_point = 1},
                     Judge(spec_, history_, /*again=*/false));
    sweep.attach(disk);
    std::string problem = member.start();
    CrashSweep::detach(disk);
    return problem.empty() ? sweep.report() : problem;
  }

  Verdict judge_compaction(SimServer& member) {
    const std::int64_t at = member.server().store().compact_revision();
    if (at >= history_.compacted() && at <= history_.compaction_asked()) return {};
    return "compacted at " + std::to_string(at) + ", acknowledged " +
           std::to_string(history_.compacted());
  }

  /// It takes a put, which the harshest crash right after does not lose.
  Verdict judge_going_on(SimFileSystem& disk, SimServer& member, KvModel expected,
                         std::uint64_t seed) {
    const PutOp put{"after", "the crash", 0};
    const auto revision = member.call(put);
    if (!revision) return "put after the crash: " + revision.error().message;
    if (expected.apply(put) != *revision) return "put after the crash got a wrong revision";
    if (seed % 4 != 0) return {};
    SeededRandom random(seed);
    const auto again = disk.crashed(random, CrashStyle::kLoseAll);
    SimServer second(*again, seed + 1, config_of(spec_));
    if (std::string problem = second.start(); !problem.empty()) return "second " + problem;
    const auto seen = second.read_all();
    if (!seen) return "second read: " + seen.error().message;
    return *seen == expected ? "" : "put after the crash lost";
  }

  const ServerWorkload& spec_;
  const History& history_;
  bool again_;
  std::uint64_t crashes_ = 0;
};

/// Clients in the member's own world, each sending its next operation when the last is answered.
class Clients {
 public:
  Clients(const ServerWorkload& spec, SimServer& member, History& history, std::uint64_t seed)
      : spec_(spec),
        member_(member),
        history_(history),
        random_(seed),
        next_lease_(static_cast<std::int64_t>(seed % 1000) * 1000 + 1) {}
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  ~Clients() { member_.kill(); }  // it must not answer any more

  /// Runs until `operations` were sent and, if so wanted, answered; false if the member died or
  /// time went by.
  bool run(int operations, bool to_the_end, const std::function<bool()>& go_on) {
    operations_ = operations;
    for (unsigned i = 0; i < spec_.clients; ++i) next();
    return member_.world().run_until(
        [&] {
          const bool sent = sent_ >= operations_ && (running_ == 0 || !to_the_end);
          return sent || !member_.alive() || !go_on();
        },
        std::chrono::hours(1));
  }

 private:
  void next() {
    if (sent_ >= operations_) return;
    ++sent_;
    ++running_;
    if (random_.below(40) == 0) return defragment();
    const KvOp op = random_op();
    const History::Ticket ticket = history_.begin(op);
    member_.send(op, [this, ticket](Result<std::int64_t> revision) {
      answered(ticket, std::move(revision));
    });
  }

  void defragment() {
    member_.server().defragment([this](Result<>) { rest(); });
  }

  void answered(History::Ticket ticket, Result<std::int64_t> revision) {
    if (revision) {
      history_.acknowledge(ticket, *revision);
    } else if (revision.error().code == Code::kNotFound ||
               revision.error().code == Code::kOutOfRange ||
               revision.error().code == Code::kFailedPrecondition) {
      history_.refuse(ticket);
    }
    rest();
  }

  void rest() {
    --running_;
    // A pause now and then lets the backend's timer and the purge come in between.
    const Duration pause = random_.below(10) == 0 ? Duration(std::chrono::milliseconds(150))
                                                  : Duration(std::chrono::microseconds(50));
    pauses_->post_at(member_.world().clock().now() + pause, [this] { next(); });
  }

  KvOp random_op() {
    switch (random_.below(20)) {
      case 0:
      case 1:
        return DeleteOp{random_key(), {}};
      case 2:
        return DeleteOp{random_key(), "k9"};
      case 3:
      case 4:
      case 5:
        return TxnOp{random_key(), random_key(), random_value()};
      case 6:
        return GrantOp{next_lease_++};
      case 7:
        return random_lease() == 0 ? KvOp(GrantOp{next_lease_++}) : KvOp(RevokeOp{random_lease()});
      case 8:
        if (history_.settled().revision() > 12) return compact();
        [[fallthrough]];
      default:
        return PutOp{random_key(), random_value(), random_.below(4) == 0 ? random_lease() : 0};
    }
  }

  KvOp compact() {
    const std::int64_t newest = history_.settled().revision() - 2;
    const std::int64_t oldest = std::max<std::int64_t>(history_.compaction_asked() + 1, 2);
    if (oldest > newest) return PutOp{random_key(), random_value(), 0};
    return CompactOp{oldest + static_cast<std::int64_t>(
                                  random_.below(static_cast<std::uint64_t>(newest - oldest + 1)))};
  }

  /// One that is known to exist, 0 if none.
  std::int64_t random_lease() {
    const auto& leases = history_.settled().leases();
    if (leases.empty()) return 0;
    auto it = leases.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random_.below(leases.size())));
    return *it;
  }

  std::string random_key() { return "k" + std::to_string(random_.below(25)); }
  std::string random_value() {
    const std::uint64_t size = random_.below(12) == 0 ? random_.below(5000) : random_.below(60);
    return std::to_string(random_.next()) + ":" + std::string(size, 'v');
  }

  const ServerWorkload& spec_;
  SimServer& member_;
  History& history_;
  SeededRandom random_;
  std::unique_ptr<Executor> pauses_ = member_.world().make_executor("clients");
  int operations_ = 0;
  int sent_ = 0;
  int running_ = 0;
  std::int64_t next_lease_;
};

std::unique_ptr<SimFileSystem> fresh_disk() {
  auto disk = std::make_unique<SimFileSystem>(SimDiskOptions{.max_file_bytes = 64 << 20});
  TRUSS_CHECK(disk->make_dir("/data").has_value() && disk->sync_dir("/").has_value());
  return disk;
}

/// For the member under test, as opposed to those that start on what a crash left of it.
server::Config config_of_life(const ServerWorkload& spec, int life) {
  server::Config config = config_of(spec);
  config.sabotage = spec.sabotage;
  if (spec.raise_level) {
    const int level = static_cast<int>(spec.level) + life;
    config.compat = std::min(server::CompatLevel(level), server::CompatLevel::k36);
  }
  return config;
}

}  // namespace

namespace {

/// Runs the lives of one member; what ended them early, if anything.
std::string run_lives(const ServerWorkload& spec, SimFileSystem& disk, History& history,
                      const std::function<bool()>& go_on) {
  for (int life = 0; life < spec.lives && go_on(); ++life) {
    const std::uint64_t seed = spec.seed * 100 + static_cast<std::uint64_t>(life);
    SimServer member(disk, seed, config_of_life(spec, life));
    if (std::string problem = member.start(); !problem.empty()) return problem;
    if (life > 0) {
      auto seen = member.read_all();
      if (!seen) return "read: " + seen.error().message;
      if (std::string problem = history.explain(*seen); !problem.empty()) return problem;
      history.restart_from(*std::move(seen));
    }
    Clients clients(spec, member, history, seed);
    const bool last = life + 1 == spec.lives;
    const bool ran = clients.run(spec.operations / spec.lives, last, go_on);
    if (!member.alive()) return "died: " + member.death();
    if (!ran) return "nothing happened for an hour";
    if (seed % 2 != 0 && go_on()) member.stop();
  }
  return {};
}

}  // namespace

SweepResult sweep_server(const ServerWorkload& spec) {
  const auto disk = fresh_disk();
  if (spec.injector) disk->inject(spec.injector);
  History history;
  CrashSweep sweep({.seed = spec.seed,
                    .copies_per_point = spec.copies_per_point,
                    .stride = spec.stride,
                    .stop_after_failures = spec.stop_after_failures},
                   Judge(spec, history));
  sweep.attach(*disk);
  const auto go_on = [&] { return sweep.failures() < spec.stop_after_failures; };
  const std::string problem = run_lives(spec, *disk, history, go_on);
  CrashSweep::detach(*disk);
  SweepResult result = SweepResult::of(sweep);
  if (!problem.empty()) result += {.failures = 1, .report = "the member itself: " + problem};
  return result;
}

FaultSweep::Outcome sweep_server_faults(const ServerWorkload& spec) {
  auto history = std::make_unique<History>();
  FaultSweep faults;
  faults.stride = spec.stride;
  faults.seed = spec.seed;
  faults.make_disk = fresh_disk;
  faults.run = [&](SimFileSystem& disk) -> Verdict {
    history = std::make_unique<History>();
    static_cast<void>(run_lives(spec, disk, *history, [] { return true; }));
    return {};
  };
  faults.check = [&](SimFileSystem& disk) -> Verdict {
    SeededRandom random(spec.seed);
    const auto crashed = disk.crashed(random);
    if (Verdict verdict = Judge(spec, *history)(*crashed); !verdict.empty()) return verdict;
    return Judge(spec, *history)(*disk.clone());
  };
  return faults.sweep();
}

}  // namespace truss::testing
