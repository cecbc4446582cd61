#include "truss/snaptool/undelete.h"

#include <vector>

#include "truss/snaptool/diff.h"

namespace truss::snaptool {
namespace {

using client::Client;
using Kind = UndeleteStep::Kind;

// Below etcd's defaults for one transaction: 128 operations, 1.5 MiB.
constexpr std::size_t kMaxOps = 64;
constexpr std::uint64_t kMaxBytes = 512u << 10;

/// A write that waits for its transaction.
struct Write {
  Client::GuardedPut put;
  Kind kind = Kind::kRestore;
  bool had_lease = false;
};

class Undeleter {
 public:
  Undeleter(Client& to, const UndeleteOptions& options, bool writing, const UndeleteSink& sink)
      : to_(to), options_(options), writing_(writing), sink_(sink) {}

  /// A: the file. B: the member.
  Result<> add(const Difference& d) {
    if (d.kind == Difference::Kind::kAdded) return {};  // the file knows nothing of it
    const bool absent = d.kind == Difference::Kind::kRemoved;
    Write write{{std::string(d.a.key), std::string(d.a.value), absent ? 0 : d.b.mod_revision},
                absent ? Kind::kRestore : Kind::kOverwrite,
                d.a.lease != 0};
    if (!absent && options_.if_changed != IfChanged::kOverwrite) {
      ++counts.changed;
      tell(write, Kind::kChanged);
      return {};
    }
    bytes_ += write.put.key.size() + write.put.value.size();
    batch_.push_back(std::move(write));
    return batch_.size() >= kMaxOps || bytes_ >= kMaxBytes ? flush() : Result<>();
  }

  Result<> flush() {
    std::vector<Write> batch;
    batch.swap(batch_);
    bytes_ = 0;
    if (batch.empty()) return {};
    TRUSS_ASSIGN(const bool done, commit(batch));
    if (done || batch.size() == 1) {
      for (const Write& write : batch) settle(write, done);
      return {};
    }
    for (Write& write : batch) {  // a guard didn't hold: one by one, to see which
      TRUSS_ASSIGN(const bool one, commit({write}));
      settle(write, one);
    }
    return {};
  }

  UndeleteCounts counts;

 private:
  void tell(const Write& write, Kind kind) {
    sink_({kind, write.put.key, write.put.value.size(), write.put.mod_revision});
  }
  void settle(const Write& write, bool done) {
    if (!done) {
      ++counts.raced;
      return tell(write, Kind::kRaced);
    }
    ++(write.kind == Kind::kRestore ? counts.restored : counts.overwritten);
    counts.had_lease += write.had_lease ? 1 : 0;
    tell(write, write.kind);
  }
  Result<bool> commit(const std::vector<Write>& batch) {
    if (!writing_) return true;
    std::vector<Client::GuardedPut> puts;
    for (const Write& write : batch) puts.push_back(write.put);
    TRUSS_ASSIGN(const auto header, to_.put_guarded(puts));
    if (!header) return false;
    ++counts.transactions;
    counts.revision = header->revision;
    return true;
  }

  Client& to_;
  const UndeleteOptions& options_;
  const bool writing_;
  const UndeleteSink& sink_;
  std::vector<Write> batch_;
  std::uint64_t bytes_ = 0;
};

Result<UndeleteCounts> pass(DbFile& from, Client& to, const UndeleteOptions& options, bool writing,
                            const UndeleteSink& sink) {
  TRUSS_ASSIGN(const auto file, file_keys(from, options.range, options.revision));
  TRUSS_ASSIGN(const auto member, live_keys(to, options.range, 0));
  Undeleter undeleter(to, options, writing, sink);
  undeleter.counts.revision = member->revision();
  TRUSS_TRY(
      diff_sources(*file, *member, false, [&](const Difference& d) { return undeleter.add(d); }));
  TRUSS_TRY(undeleter.flush());
  return undeleter.counts;
}

}  // namespace

Result<UndeleteCounts> undelete(DbFile& from, client::Client& to, const UndeleteOptions& options,
                                const UndeleteSink& sink) {
  if (options.if_changed == IfChanged::kRefuse || options.dry_run) {
    // A look first: a changed key means that nothing is written.
    const UndeleteSink quiet = [](const UndeleteStep&) {};
    TRUSS_ASSIGN(UndeleteCounts seen,
                 pass(from, to, options, false, options.dry_run ? sink : quiet));
    seen.refused = options.if_changed == IfChanged::kRefuse && seen.changed > 0;
    if (options.dry_run) return seen;
    if (seen.refused) {
      TRUSS_ASSIGN(seen, pass(from, to, options, false, [&](const UndeleteStep& step) {
                     if (step.kind == Kind::kChanged) sink(step);
                   }));
      seen.refused = true;
      seen.restored = seen.overwritten = seen.had_lease = 0;
      return seen;
    }
  }
  return pass(from, to, options, true, sink);
}

}  // namespace truss::snaptool
