#include "wal_workload.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "truss/common/check.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/segment.h"
#include "truss/wal/wal.h"

namespace truss::testing {
namespace {

using raft::Entry;
using raft::HardState;
using raft::Index;
using raft::SnapshotMark;
using raft::Term;

constexpr const char* kParent = "/data";
constexpr const char* kDir = "/data/wal";

std::uint64_t count(Index index) { return index.value(); }

/// The log as raft sees it.
struct LogState {
  std::vector<Entry> entries;  // entries[i] has index i + 1
  HardState hard_state;

  void put(const Entry& entry) {
    entries.resize(count(entry.index) - 1);
    entries.push_back(entry);
  }
  friend bool operator==(const LogState&, const LogState&) = default;
};

/// One append: entries, then the hard state.
struct Append {
  HardState hard_state;
  std::vector<Entry> entries;
};

/// What was acknowledged as synced, and what may or may not be on disk.
struct Model {
  bool created = false;
  LogState synced;
  std::deque<Append> in_flight;
  SnapshotMark snapshot;  // newest synced

  void all_synced() {
    for (const Append& append : in_flight) {
      for (const Entry& entry : append.entries) synced.put(entry);
      if (!append.hard_state.empty()) synced.hard_state = append.hard_state;
    }
    in_flight.clear();
  }
};

Verdict wrong(const std::string& what, const Error& error) { return what + ": " + error.message; }

bool same_tail(const LogState& state, const wal::ReadResult& got, Index mark) {
  if (!(state.hard_state == got.hard_state)) return false;
  const std::size_t skip = std::min<std::size_t>(count(mark), state.entries.size());
  return std::equal(state.entries.begin() + static_cast<std::ptrdiff_t>(skip), state.entries.end(),
                    got.entries.begin(), got.entries.end());
}

/// The first state from `synced` on, record by record, that equals what was read: the entries of
/// all appends in order, then the newest hard state.
std::optional<LogState> matching_state(const Model& model, const wal::ReadResult& got, Index mark) {
  LogState state = model.synced;
  if (same_tail(state, got, mark)) return state;
  HardState newest = state.hard_state;
  for (const Append& append : model.in_flight) {
    for (const Entry& entry : append.entries) {
      state.put(entry);
      if (same_tail(state, got, mark)) return state;
    }
    if (!append.hard_state.empty()) newest = append.hard_state;
  }
  state.hard_state = newest;
  if (same_tail(state, got, mark)) return state;
  return std::nullopt;
}

std::string describe(const Model& model, const wal::ReadResult& got, SnapshotMark mark) {
  const auto last = got.entries.empty() ? mark.index : got.entries.back().index;
  return "read up to entry " + std::to_string(count(last)) + " from " +
         std::to_string(count(mark.index)) + ", commit " +
         std::to_string(count(got.hard_state.commit)) + "; synced up to " +
         std::to_string(model.synced.entries.size()) + ", commit " +
         std::to_string(count(model.synced.hard_state.commit)) + ", appends in flight " +
         std::to_string(model.in_flight.size());
}

class Judge {
 public:
  Judge(const Model& model, const wal::Options& options) : model_(model), options_(options) {}

  Verdict operator()(SimFileSystem& disk) {
    if (!wal::has_wal(disk, kDir)) return judge_absent(disk);
    const auto mark = newest_mark(disk);
    if (!mark) return wrong("valid_snapshots", mark.error());
    if (*mark < model_.snapshot)
      return "snapshot " + std::to_string(count(mark->index)) + " is old";
    auto opened = wal::open_and_read(disk, process_, kDir, *mark, options_);
    if (!opened) return wrong("open", opened.error());
    if (opened->contents.metadata != "identity") return "metadata differs";
    const auto state = matching_state(model_, opened->contents, mark->index);
    if (!state) return "entries lost or invented: " + describe(model_, opened->contents, *mark);
    return judge_going_on(disk, std::move(opened->wal), *state, *mark);
  }

 private:
  Result<SnapshotMark> newest_mark(SimFileSystem& disk) {
    TRUSS_ASSIGN(const auto all, wal::valid_snapshots(disk, kDir, options_.limits));
    SnapshotMark newest;
    for (const auto& record : all) newest = std::max(newest, record.mark);
    return newest;
  }

  Verdict judge_absent(SimFileSystem& disk) {
    if (model_.created) return "no log";
    auto made = wal::Wal::create(disk, process_, kDir, "identity", options_);
    return made ? Verdict() : wrong("create after a crash", made.error());
  }

  /// The recovered log takes one more entry, which then survives a crash that loses all it can.
  Verdict judge_going_on(SimFileSystem& disk, std::unique_ptr<wal::Wal> wal, LogState state,
                         SnapshotMark mark) {
    const auto index = Index{std::max<std::uint64_t>(state.entries.size(), count(mark.index)) + 1};
    const Term term{state.hard_state.term.value() + 1};
    const Entry entry{term, index, raft::EntryType::kNormal, SharedBytes::copy("after the crash")};
    wal->save({term, raft::NodeId{1}, state.hard_state.commit}, {&entry, 1});
    SeededRandom random(1);
    const auto again = disk.crashed(random, CrashStyle::kLoseAll);
    auto opened = wal::open_and_read(*again, process_, kDir, mark, options_);
    if (!opened) return wrong("second open", opened.error());
    const auto& entries = opened->contents.entries;
    if (entries.empty() || !(entries.back() == entry)) return "entry after the crash lost";
    return {};
  }

  const Model& model_;
  const wal::Options& options_;
  SimProcess process_;
};

class Workload {
 public:
  Workload(const WalWorkload& spec, SimFileSystem& disk)
      : spec_(spec), random_(spec.seed), disk_(disk) {
    options_.segment_bytes = spec.segment_bytes;
  }

  const Model& model() const { return model_; }
  const wal::Options& options() const { return options_; }

  /// Errors: of create and reopen; a failed write ends in SimDeath.
  Result<> run(const std::function<bool()>& go_on) {
    TRUSS_ASSIGN(wal_, wal::Wal::create(disk_, process_, kDir, "identity", options_));
    model_.created = true;
    for (int i = 0; i < spec_.steps && go_on(); ++i) TRUSS_TRY(step());
    return {};
  }

 private:
  Result<> step() {
    switch (random_.below(12)) {
      case 0:
        snapshot();
        return {};
      case 1:
        return reopen();
      case 2:
        return purge();
      default:
        append();
        return {};
    }
  }

  /// One to three appends, then a sync. Now and then the tail is overwritten in a new term.
  void append() {
    const auto appends = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < appends; ++i) {
      model_.in_flight.push_back(next_append());
      wal_->append(model_.in_flight.back().hard_state, model_.in_flight.back().entries);
    }
    wal_->sync();
    model_.all_synced();
  }

  Append next_append() {
    Append out;
    LogState ahead = model_.synced;
    for (const Append& append : model_.in_flight) {
      for (const Entry& entry : append.entries) ahead.put(entry);
      if (!append.hard_state.empty()) ahead.hard_state = append.hard_state;
    }
    const std::uint64_t commit = count(ahead.hard_state.commit);
    std::uint64_t last = ahead.entries.size();
    if (random_.below(8) == 0) {
      ++term_;
      last = commit + random_.below(last - commit + 1);
    }
    for (std::uint64_t n = random_.below(4); n > 0; --n) out.entries.push_back(next_entry(++last));
    if (out.entries.empty() || random_.below(2) == 0) {
      const std::uint64_t reach = std::min<std::uint64_t>(last, model_.synced.entries.size());
      const std::uint64_t more = reach > commit ? random_.below(reach - commit + 1) : 0;
      out.hard_state = {Term{term_}, raft::NodeId{1 + term_ % 3}, Index{commit + more}};
    }
    return out;
  }

  Entry next_entry(std::uint64_t index) {
    const std::uint64_t size = random_.below(4) == 0 ? random_.below(6000) : random_.below(200);
    std::string data(size, '\0');
    const bool zeros = random_.below(4) == 0;
    for (char& c : data) c = zeros ? '\0' : static_cast<char>(random_.next());
    return {Term{term_}, Index{index}, raft::EntryType::kNormal, SharedBytes::copy(data)};
  }

  void snapshot() {
    const std::uint64_t commit = count(model_.synced.hard_state.commit);
    if (commit <= count(model_.snapshot.index)) return append();
    const std::uint64_t at =
        count(model_.snapshot.index) + 1 + random_.below(commit - count(model_.snapshot.index));
    const SnapshotMark mark{Index{at}, model_.synced.entries[at - 1].term};
    wal_->save_snapshot(mark, nullptr);
    model_.snapshot = mark;
    wal_->release_to(mark.index);
  }

  Result<> purge() {
    const wal::PurgeLimits limits{.max_wals = 2, .older_root = model_.snapshot.index};
    TRUSS_TRY(wal::purge(disk_, kDir, limits));
    return {};
  }

  Result<> reopen() {
    if (random_.below(2) == 0) wal_->close();
    wal_.reset();
    TRUSS_ASSIGN(auto opened, wal::open_and_read(disk_, process_, kDir, model_.snapshot, options_));
    TRUSS_CHECK(same_tail(model_.synced, opened.contents, model_.snapshot.index));
    wal_ = std::move(opened.wal);
    return {};
  }

  const WalWorkload& spec_;
  SeededRandom random_;
  SimFileSystem& disk_;
  SimProcess process_;
  wal::Options options_;
  Model model_;
  std::unique_ptr<wal::Wal> wal_;
  std::uint64_t term_ = 1;
};

std::unique_ptr<SimFileSystem> fresh_disk() {
  auto disk = std::make_unique<SimFileSystem>();
  TRUSS_CHECK(disk->make_dir(kParent).has_value() && disk->sync_dir("/").has_value());
  return disk;
}

}  // namespace

SweepResult sweep_wal(const WalWorkload& spec) {
  const auto disk = fresh_disk();
  if (spec.injector) disk->inject(spec.injector);
  Workload workload(spec, *disk);
  CrashSweep sweep({.seed = spec.seed,
                    .copies_per_point = spec.copies_per_point,
                    .stop_after_failures = spec.stop_after_failures},
                   Judge(workload.model(), workload.options()));
  sweep.attach(*disk);
  const auto ran = workload.run([&] { return sweep.failures() < spec.stop_after_failures; });
  TRUSS_CHECK(ran.has_value(), ran ? "" : ran.error().message);
  sweep.crash_now(*disk);
  CrashSweep::detach(*disk);
  return SweepResult::of(sweep);
}

FaultSweep::Outcome sweep_wal_faults(const WalWorkload& spec) {
  std::unique_ptr<Workload> workload;
  FaultSweep faults;
  faults.make_disk = fresh_disk;
  faults.run = [&](SimFileSystem& disk) -> Verdict {
    workload = std::make_unique<Workload>(spec, disk);
    static_cast<void>(workload->run([] { return true; }));
    return {};
  };
  faults.check = [&](SimFileSystem& disk) -> Verdict {
    const Model model = workload->model();
    const wal::Options options = workload->options();
    workload.reset();
    SeededRandom random(spec.seed);
    for (unsigned i = 0; i < spec.copies_per_point; ++i) {
      const auto crashed = disk.crashed(random);
      if (Verdict verdict = Judge(model, options)(*crashed); !verdict.empty()) return verdict;
    }
    // The process alone restarts. That a failed sync's pages read back but may never reach the
    // disk is beyond what a log can mend, so they count as written.
    return Judge(model, options)(*disk.clone());
  };
  return faults.sweep();
}

}  // namespace truss::testing
