#include <doctest/doctest.h>

#include "test_log.h"
#include "truss/common/testing/sweep.h"

using namespace truss;
using namespace truss::wal;
using testing::OpKind;
using testing::SimFileSystem;
using testing::SimOp;
using testing::Verdict;

// A workload on a simulated disk, crashed at each of its write and sync points. After each crash
// the log must open by itself, hold all that was synced, and nothing that was never appended.
namespace {

/// What the workload has done so far: the truth to compare with.
struct Truth {
  std::vector<raft::Entry> log;    // index 1 at [0], as last appended
  std::size_t synced_entries = 0;  // prefix of `log` that a sync() vouched for
  raft::HardState synced_state;
  raft::HardState state;        // last appended
  raft::Index synced_snapshot;  // of the last save_snapshot that returned
  /// Everything ever appended at each index: overwritten entries may reappear until synced over.
  std::vector<std::vector<raft::Entry>> ever;
  bool created = false;

  void append(const std::vector<raft::Entry>& entries, const raft::HardState& with) {
    for (const raft::Entry& e : entries) {
      const std::size_t at = e.index.value() - 1;
      log.resize(at);
      log.push_back(e);
      if (ever.size() <= at) ever.resize(at + 1);
      ever[at].push_back(e);
      synced_entries = std::min(synced_entries, at);
    }
    if (!with.empty()) state = with;
  }
  void synced() {
    synced_entries = log.size();
    synced_state = state;
  }
};

Verdict compare(const Truth& truth, const ReadResult& read) {
  const auto text = [](std::uint64_t n) { return std::to_string(n); };
  if (read.entries.size() < truth.synced_entries) {
    return "lost entries: " + text(read.entries.size()) + " of " + text(truth.synced_entries);
  }
  for (std::size_t i = 0; i < read.entries.size(); ++i) {
    const raft::Entry& e = read.entries[i];
    if (i < truth.synced_entries && !(e == truth.log[i]))
      return "entry " + text(i + 1) + " differs";
    const auto& ever = truth.ever[i];
    if (std::find(ever.begin(), ever.end(), e) == ever.end()) return "invented " + text(i + 1);
  }
  if (read.hard_state.term < truth.synced_state.term) return "lost a term";
  if (read.hard_state.term == truth.synced_state.term &&
      read.hard_state.vote != truth.synced_state.vote) {
    return "lost a vote";
  }
  if (read.hard_state.commit < truth.synced_state.commit) return "lost a commit index";
  return {};
}

/// Opens a crashed disk as a member would, compares, goes on writing, crashes once more.
class Check {
 public:
  Check(const Truth& truth, Options options) : truth_(truth), options_(options) {}

  Verdict operator()(SimFileSystem& disk) const {
    if (!truth_.created && !has_wal(disk, kDir)) return {};
    if (!has_wal(disk, kDir)) return "the log is gone";
    auto opened = open_and_read(disk, process_, kDir, {}, options_);
    if (!opened) return opened.error().message;
    if (auto verdict = compare(truth_, opened->contents); !verdict.empty()) return verdict;
    if (auto verdict = check_snapshots(disk); !verdict.empty()) return verdict;
    return go_on(disk, *std::move(opened));
  }

 private:
  static constexpr const char* kDir = "/data/wal";

  Verdict check_snapshots(SimFileSystem& disk) const {
    const auto valid = valid_snapshots(disk, kDir);
    if (!valid) return valid.error().message;
    for (const auto& record : *valid) {
      if (record.mark.index >= truth_.synced_snapshot) return {};
    }
    return "lost a snapshot record";
  }

  /// What is read must stay read: a second crash right after reading loses nothing of it.
  Verdict go_on(SimFileSystem& disk, OpenedWal opened) const {
    SeededRandom random(disk.points() + 1);
    const auto twice = disk.crashed(random);
    const auto again = open_and_read(*twice, process_, kDir, {}, options_);
    if (!again) return "second crash: " + again.error().message;
    if (again->contents.entries != opened.contents.entries) return "second crash: read less";

    const std::uint64_t next = opened.contents.entries.size() + 1;
    const raft::Entry last = entry(99, next, "after the crash");
    opened.wal->save(hard_state(99, 1, next), std::vector{last});
    opened.wal.reset();
    const auto after = disk.crashed(random, testing::CrashStyle::kLoseAll);
    const auto reread = open_and_read(*after, process_, kDir, {}, options_);
    if (!reread) return "after going on: " + reread.error().message;
    if (reread->contents.entries.size() != next || !(reread->contents.entries.back() == last)) {
      return "an entry saved after the crash is lost";
    }
    return {};
  }

  const Truth& truth_;
  Options options_;
  mutable testing::SimProcess process_;
};

/// Appends, saves, overwrites, snapshots and cuts, by seed.
class Workload {
 public:
  Workload(TestLog& log, Truth& truth, std::uint64_t seed)
      : log_(log), truth_(truth), random_(seed) {}

  void run(int steps) {
    log_.create();
    truth_.created = true;
    for (int i = 0; i < steps; ++i) step();
  }

 private:
  void step() {
    switch (random_.below(8)) {
      case 0:
        return overwrite();
      case 1:
        return commit_only();
      case 2:
        return new_term();
      case 3:
        return snapshot();
      case 4:
        return restart();
      default:
        return append_batch();
    }
  }

  raft::Entry next_entry(std::uint64_t index) {
    const std::size_t size = random_.below(4) == 0 ? random_.below(3000) : random_.below(60);
    std::string data(size, '\0');  // runs of zeros as payload: the torn rule's hardest case
    if (random_.below(2) == 0) data.assign(size, static_cast<char>('a' + random_.below(26)));
    return entry(truth_.state.term.value() + 1, index, data + std::to_string(++serial_));
  }

  std::vector<raft::Entry> batch(std::uint64_t first) {
    std::vector<raft::Entry> out;
    for (std::uint64_t n = random_.below(4) + 1; n > 0; --n) out.push_back(next_entry(first++));
    return out;
  }

  void append(const std::vector<raft::Entry>& entries, const raft::HardState& state) {
    truth_.append(entries, state);
    log_.wal->append(state, entries);
    if (random_.below(3) == 0) return;
    log_.wal->sync();
    truth_.synced();
  }

  void append_batch() { append(batch(truth_.log.size() + 1), truth_.state); }

  void overwrite() {
    const std::uint64_t committed = truth_.state.commit.value();
    const std::uint64_t last = truth_.log.size();
    if (committed == last) return;
    raft::HardState state = truth_.state;
    ++state.term;
    append(batch(committed + 1 + random_.below(last - committed)), state);
  }

  void commit_only() {
    raft::HardState state = truth_.state;
    const std::uint64_t room = truth_.synced_entries -
                               std::min<std::uint64_t>(truth_.synced_entries, state.commit.value());
    state.commit += random_.below(room + 1);
    truth_.append({}, state);
    if (log_.wal->save(state, {})) truth_.synced();
  }

  void new_term() {
    raft::HardState state = truth_.state;
    ++state.term;
    state.vote = raft::NodeId(random_.below(3));
    truth_.append({}, state);
    if (log_.wal->save(state, {})) truth_.synced();
  }

  void snapshot() {
    const raft::Index index = truth_.state.commit;
    if (index == raft::Index(0)) return;
    log_.wal->save_snapshot({index, truth_.log[index.value() - 1].term}, nullptr);
    truth_.synced();
    truth_.synced_snapshot = index;
  }

  void restart() {
    if (random_.below(2) == 0) {
      log_.wal->close();
      truth_.synced();
    }
    log_.wal.reset();
    auto opened = open_and_read(log_.fs, log_.process, log_.dir, {}, log_.options).value();
    log_.wal = std::move(opened.wal);
    // A kill loses what was only buffered.
    truth_.log = opened.contents.entries;
    truth_.state = opened.contents.hard_state;
    truth_.synced();
  }

  TestLog& log_;
  Truth& truth_;
  SeededRandom random_;
  int serial_ = 0;
};

struct Swept {
  std::uint64_t crashes = 0;
  std::uint64_t failures = 0;
  std::string report;
};

Swept sweep(std::uint64_t seed, int steps, const std::function<bool(const SimOp&)>& skip = {},
            unsigned copies = 3) {
  TestLog log;
  log.options.segment_bytes = 8192;
  log.options.refuse_synced_hole = true;  // no legal crash may look like one
  Truth truth;
  testing::CrashSweep sweep({.seed = seed, .copies_per_point = copies}, Check(truth, log.options));
  if (skip) log.fs.inject(testing::skip_matching(skip));
  sweep.attach(log.fs);
  Workload(log, truth, seed).run(steps);
  sweep.crash_now(log.fs);
  testing::CrashSweep::detach(log.fs);
  return {sweep.crashes(), sweep.failures(), sweep.report()};
}

}  // namespace

TEST_CASE("a crash at any point loses nothing synced and invents nothing") {
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    const Swept swept = sweep(seed, 60);
    CHECK_MESSAGE(swept.failures == 0, "seed " << seed << ": " << swept.report);
    crashes += swept.crashes;
  }
  MESSAGE(crashes << " crashes");
  CHECK(crashes > 10'000);
}

TEST_CASE("the sweep notices each sync that is taken away") {
  const auto fails_without = [](const std::function<bool(const SimOp&)>& skip) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      if (sweep(seed, 60, skip, 6).failures > 0) return true;
    }
    return false;
  };
  CHECK(fails_without([](const SimOp& op) { return op.kind == OpKind::kSyncData; }));
  CHECK(fails_without([](const SimOp& op) {
    return op.kind == OpKind::kSyncDir && op.path == "/data/wal";  // of a cut
  }));
  CHECK(fails_without([](const SimOp& op) {
    return op.kind == OpKind::kSyncDir && op.path == "/data/wal.tmp";  // of the first segment
  }));
  CHECK(fails_without([](const SimOp& op) {
    return op.kind == OpKind::kSyncDir && op.path == "/data";  // of the log's directory
  }));
}
