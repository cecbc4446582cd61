#include "bolt_workload.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "truss/common/check.h"
#include "truss/common/testing/sim_runtime.h"

namespace truss::testing {
namespace {

constexpr const char* kPath = "/data/db";

using Pairs = std::map<std::string, std::string>;
using Image = std::map<std::string, Pairs>;  // by bucket

/// The value of a Result that can't fail here.
template <class T>
T must(Result<T> result) {
  TRUSS_CHECK(result.has_value(), result ? "" : result.error().message);
  return *std::move(result);
}
void must(Result<> result) {
  TRUSS_CHECK(result.has_value(), result ? "" : result.error().message);
}

Result<Pairs> read_bucket(const bolt::Bucket& bucket) {
  Pairs out;
  bolt::Cursor cursor = bucket.cursor();
  TRUSS_ASSIGN(auto at, cursor.first());
  while (at) {
    out.emplace(at->key, at->value);
    TRUSS_ASSIGN(at, cursor.next());
  }
  return out;
}

Result<Image> read_image(bolt::DB& db) {
  TRUSS_ASSIGN(auto tx, db.begin_read());
  Image out;
  bolt::Cursor cursor = tx.cursor();
  TRUSS_ASSIGN(auto at, cursor.first());
  while (at) {
    TRUSS_ASSIGN(const auto bucket, tx.bucket(at->key));
    if (!bucket) return fail(Code::kCorruption, "bucket without a root");
    TRUSS_ASSIGN(out[std::string(at->key)], read_bucket(*bucket));
    TRUSS_ASSIGN(at, cursor.next());
  }
  return out;
}

struct Model {
  bool created = false;
  Image committed;
  std::optional<Image> committing;
};

bolt::FatalHandler dying(SimProcess& process) {
  return [&process](std::string_view why) { process.fatal(why); };
}

class Judge {
 public:
  Judge(const Model& model, const bolt::Options& options) : model_(model), options_(options) {}

  Verdict operator()(SimFileSystem& disk) {
    if (model_.created && !exists(disk, kPath)) return "no file";
    auto opened = bolt::DB::open(disk, kPath, options_, dying(process_));
    if (!opened) return "open: " + opened.error().message;
    const auto db = *std::move(opened);
    if (Verdict verdict = judge_structure(*db); !verdict.empty()) return verdict;
    const auto image = read_image(*db);
    if (!image) return "read: " + image.error().message;
    const bool old_state = *image == model_.committed;
    const bool new_state = model_.committing && *image == *model_.committing;
    if (!old_state && !new_state) return "not a committed state";
    return judge_going_on(disk, *db, *image);
  }

 private:
  static Verdict judge_structure(bolt::DB& db) {
    std::string first;
    const auto faults = db.check([&](const std::string& fault) {
      if (first.empty()) first = fault;
    });
    if (!faults) return "check: " + faults.error().message;
    return *faults == 0 ? "" : "check: " + first;
  }

  Verdict judge_going_on(SimFileSystem& disk, bolt::DB& db, Image image) {
    {
      auto tx = must(db.begin_write());
      must(must(tx.create_bucket_if_absent("after")).put("crash", std::string(3000, 'a')));
      must(tx.commit());
    }
    image["after"]["crash"] = std::string(3000, 'a');
    SeededRandom random(1);
    const auto again = disk.crashed(random, CrashStyle::kLoseAll);
    auto reopened = bolt::DB::open(*again, kPath, options_, dying(process_));
    if (!reopened) return "second open: " + reopened.error().message;
    const auto now = read_image(**reopened);
    if (!now) return "second read: " + now.error().message;
    return *now == image ? "" : "commit after the crash lost";
  }

  const Model& model_;
  const bolt::Options& options_;
  SimProcess process_;
};

/// Tells the sync of the data pages from that of the meta page by the write before it.
class SyncSkipper {
 public:
  SyncSkipper(const BoltWorkload& spec) : spec_(spec) {}  // NOLINT

  std::optional<SimFault> operator()(const SimOp& op) {
    if (op.kind == OpKind::kWrite) {
      after_meta_ = op.offset + op.length <= 2 * std::uint64_t{spec_.options.page_size};
    }
    if (is_sync(op.kind) && op.path == kPath) {
      if (after_meta_ ? spec_.skip_meta_sync : spec_.skip_data_sync) return SimFault::skip();
    }
    return spec_.injector ? spec_.injector(op) : std::nullopt;
  }

 private:
  const BoltWorkload& spec_;
  bool after_meta_ = false;
};

class Workload {
 public:
  explicit Workload(const BoltWorkload& spec)
      : spec_(spec),
        random_(spec.seed),
        sweep_({.seed = spec.seed,
                .copies_per_point = spec.copies_per_point,
                .stop_after_failures = spec.stop_after_failures},
               Judge(model_, spec_.options)) {}

  SweepResult run() {
    must(disk_.make_dir("/data"));
    must(disk_.sync_dir("/"));
    disk_.inject(SyncSkipper(spec_));
    sweep_.attach(disk_);
    open();
    model_.created = true;
    for (int i = 0; i < spec_.commits && sweep_.failures() < spec_.stop_after_failures; ++i) {
      commit();
      if (random_.below(10) == 0) open();
      if (random_.below(4) == 0) hold_or_drop_reader();
    }
    sweep_.crash_now(disk_);
    CrashSweep::detach(disk_);
    return SweepResult::of(sweep_);
  }

 private:
  void open() {
    reader_.reset();
    db_.reset();
    db_ = must(bolt::DB::open(disk_, kPath, spec_.options, dying(process_)));
  }

  void hold_or_drop_reader() {
    if (reader_) {
      reader_.reset();
    } else {
      reader_.emplace(must(db_->begin_read()));
    }
  }

  void commit() {
    Image next = model_.committed;
    auto tx = must(db_->begin_write());
    for (std::uint64_t n = 1 + random_.below(12); n > 0; --n) change(tx, next);
    if (random_.below(12) == 0) return tx.rollback();
    model_.committing = next;
    must(tx.commit());
    model_.committed = std::move(next);
    model_.committing.reset();
  }

  void change(bolt::Tx& tx, Image& next) {
    const std::string name = "bucket" + std::to_string(random_.below(3));
    if (random_.below(60) == 0 && next.contains(name)) {
      must(tx.remove_bucket(name));
      next.erase(name);
      return;
    }
    auto bucket = must(tx.create_bucket_if_absent(name));
    Pairs& pairs = next[name];
    const std::string key = random_key();
    if (random_.below(3) == 0) {
      must(bucket.remove(key));
      pairs.erase(key);
    } else {
      const std::string value = random_value();
      must(bucket.put(key, value));
      pairs[key] = value;
    }
  }

  std::string random_key() {
    const std::string number = std::to_string(random_.below(150));
    return number + std::string(number.size() * 7, 'k');
  }

  std::string random_value() {
    const std::uint64_t size = random_.below(10) == 0 ? random_.below(9000) : random_.below(80);
    std::string out(size, static_cast<char>('a' + random_.below(26)));
    return out;
  }

  const BoltWorkload& spec_;
  SeededRandom random_;
  SimFileSystem disk_;
  SimProcess process_;
  Model model_;
  CrashSweep sweep_;
  std::unique_ptr<bolt::DB> db_;
  std::optional<bolt::Tx> reader_;
};

}  // namespace

SweepResult sweep_bolt(const BoltWorkload& workload) { return Workload(workload).run(); }

}  // namespace truss::testing
