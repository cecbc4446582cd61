#include "truss/snaptool/diff.h"

#include "key_window.h"
#include "revision_of.h"
#include "truss/schema/buckets.h"
#include "truss/snaptool/records.h"

namespace truss::snaptool {
namespace {

using schema::KeyValueView;
using schema::Revision;

/// Shows what differs between two states of a key, and counts it.
class Judge {
 public:
  Judge(bool touched, const DiffSink& sink) : touched_(touched), sink_(sink) {}

  Result<> only_a(const KeyValueView& a) {
    ++counts.removed;
    return sink_({Difference::Kind::kRemoved, a, {}});
  }
  Result<> only_b(const KeyValueView& b) {
    ++counts.added;
    return sink_({Difference::Kind::kAdded, {}, b});
  }
  Result<> both(const KeyValueView& a, const KeyValueView& b) {
    if (a == b) return {};
    if (a.value != b.value) {
      ++counts.changed;
      return sink_({Difference::Kind::kChanged, a, b});
    }
    if (!touched_) return {};
    ++counts.touched;
    return sink_({Difference::Kind::kTouched, a, b});
  }

  DiffCounts counts;

 private:
  const bool touched_;
  const DiffSink& sink_;
};

/// The records of one file up to a revision, one after the other.
class RecordStream {
 public:
  RecordStream(DbFile& file, const bolt::Bucket& keys, std::int64_t last)
      : cursor_(keys.cursor()), last_(last), memory_(file.tx()) {}

  Result<> start() {
    TRUSS_ASSIGN(const auto pair, cursor_.first());
    return take(pair);
  }
  Result<> advance() {
    memory_.touched(record_->key.size() + record_->value.size());
    TRUSS_ASSIGN(const auto pair, cursor_.next());
    return take(pair);
  }
  /// nullopt at the end.
  const std::optional<Record>& record() const { return record_; }

 private:
  Result<> take(const std::optional<bolt::KeyValue>& pair) {
    record_.reset();
    if (!pair) return {};
    TRUSS_ASSIGN(const auto decoded, schema::decode_revision(pair->key));
    if (decoded.revision.main > last_) return {};
    record_ = Record{decoded.revision, decoded.tombstone, pair->key, pair->value};
    return {};
  }

  bolt::Cursor cursor_;
  const std::int64_t last_;
  MemorySparer memory_;
  std::optional<Record> record_;
};

/// Where a key stands in both files; sub < 0: dead or absent.
struct Sides {
  Revision a{0, -1};
  Revision b{0, -1};
};

class FileDiff {
 public:
  FileDiff(DbFile& a, DbFile& b, bolt::Bucket keys_a, bolt::Bucket keys_b,
           const DiffOptions& options, Judge& judge)
      : a_(a),
        b_(b),
        keys_a_(std::move(keys_a)),
        keys_b_(std::move(keys_b)),
        window_(options.range, options.budget_bytes),
        judge_(judge) {}

  Result<> run() {
    do {
      TRUSS_TRY(collect_suspects());
      if (window_.map().empty()) continue;
      TRUSS_TRY(locate(a_, judge_.counts.revision_a, &Sides::a));
      TRUSS_TRY(locate(b_, judge_.counts.revision_b, &Sides::b));
      TRUSS_TRY(show());
    } while (window_.advance());
    return {};
  }

 private:
  /// Keys of records that only one of the files has. Of all others the whole history is the same.
  Result<> collect_suspects() {
    RecordStream a(a_, keys_a_, judge_.counts.revision_a);
    RecordStream b(b_, keys_b_, judge_.counts.revision_b);
    TRUSS_TRY(a.start());
    TRUSS_TRY(b.start());
    while (a.record() || b.record()) {
      const bool take_a =
          a.record() && (!b.record() || a.record()->revision <= b.record()->revision);
      const bool take_b =
          b.record() && (!a.record() || b.record()->revision <= a.record()->revision);
      const bool same = take_a && take_b && a.record()->key == b.record()->key &&
                        a.record()->value == b.record()->value;
      if (!same && take_a) TRUSS_TRY(suspect(*a.record()));
      if (!same && take_b) TRUSS_TRY(suspect(*b.record()));
      if (take_a) TRUSS_TRY(a.advance());
      if (take_b) TRUSS_TRY(b.advance());
    }
    return {};
  }
  Result<> suspect(const Record& record) {
    if (record.value.empty()) return {};
    TRUSS_ASSIGN(const auto kv, decode(record));
    if (window_.contains(kv.key)) window_.set(kv.key, {});
    return {};
  }

  Result<> locate(DbFile& file, std::int64_t last, Revision Sides::*side) {
    return for_each_record(file.tx(), {}, [&](const Record& r) -> Result<bool> {
      if (r.revision.main > last) return false;
      if (r.value.empty()) return true;
      TRUSS_ASSIGN(const auto kv, decode(r));
      if (Sides* sides = window_.find(kv.key)) {
        sides->*side = r.tombstone ? Revision{0, -1} : r.revision;
      }
      return true;
    });
  }

  Result<> show() {
    MemorySparer memory_a(a_.tx()), memory_b(b_.tx());
    for (const auto& [key, sides] : window_.map()) {
      KeyValueView a, b;
      if (sides.a.sub >= 0) {
        TRUSS_ASSIGN(a, record_at(keys_a_, sides.a));
        memory_a.jumped(a.value.size());
      }
      if (sides.b.sub >= 0) {
        TRUSS_ASSIGN(b, record_at(keys_b_, sides.b));
        memory_b.jumped(b.value.size());
      }
      if (sides.a.sub >= 0 && sides.b.sub >= 0) {
        TRUSS_TRY(judge_.both(a, b));
      } else if (sides.a.sub >= 0) {
        TRUSS_TRY(judge_.only_a(a));
      } else if (sides.b.sub >= 0) {
        TRUSS_TRY(judge_.only_b(b));
      }
    }
    return {};
  }

  DbFile& a_;
  DbFile& b_;
  bolt::Bucket keys_a_;
  bolt::Bucket keys_b_;
  KeyWindow<Sides> window_;
  Judge& judge_;
};

}  // namespace

Result<DiffCounts> diff_files(DbFile& a, DbFile& b, const DiffOptions& options,
                              const DiffSink& sink) {
  Judge judge(options.touched, sink);
  TRUSS_ASSIGN(judge.counts.revision_a, revision_of(a.tx(), options.revision_a));
  TRUSS_ASSIGN(judge.counts.revision_b, revision_of(b.tx(), options.revision_b));
  TRUSS_ASSIGN(bolt::Bucket keys_a, key_bucket(a));
  TRUSS_ASSIGN(bolt::Bucket keys_b, key_bucket(b));
  TRUSS_TRY(FileDiff(a, b, std::move(keys_a), std::move(keys_b), options, judge).run());
  return judge.counts;
}

Result<DiffCounts> diff_sources(KeySource& a, KeySource& b, bool touched, const DiffSink& sink) {
  Judge judge(touched, sink);
  judge.counts.revision_a = a.revision();
  judge.counts.revision_b = b.revision();
  TRUSS_ASSIGN(auto left, a.next());
  TRUSS_ASSIGN(auto right, b.next());
  while (left || right) {
    const bool take_left = left && (!right || left->key <= right->key);
    const bool take_right = right && (!left || right->key <= left->key);
    if (take_left && take_right) {
      TRUSS_TRY(judge.both(*left, *right));
    } else if (take_left) {
      TRUSS_TRY(judge.only_a(*left));
    } else {
      TRUSS_TRY(judge.only_b(*right));
    }
    if (take_left) {
      TRUSS_ASSIGN(left, a.next());
    }
    if (take_right) {
      TRUSS_ASSIGN(right, b.next());
    }
  }
  return judge.counts;
}

}  // namespace truss::snaptool
