#include "truss/bolt/check.h"

#include "database.h"
#include "truss/bolt/freelist_page.h"
#include "truss/bolt/walk.h"

namespace truss::bolt {
namespace {

/// Compares the pages found with the free ones: each page must be exactly one of the two.
class Audit {
 public:
  Audit(const View& view, const Meta& meta, const FaultReport& report)
      : view_(view), meta_(meta), report_(report) {}

  void fault(const std::string& what) {
    ++faults_;
    report_(what);
  }
  std::uint64_t faults() const { return faults_; }

  void stored_freelist(PageSet& seen) {
    PageSet free(view_.page_limit);
    auto stored = read_freelist(view_, meta_.freelist);
    if (!stored) return fault(stored.error().message);
    if (!seen.insert(stored->pages)) {
      pages(stored->pages, " holds the freelist and is referenced by the tree too");
    }
    for (const std::uint64_t id : stored->ids) {
      if (id < kFirstDataPage || id >= view_.page_limit) {
        pages({id, 1}, " is listed as free, but outside the file");
      } else if (!free.insert({id, 1})) {
        pages({id, 1}, " is listed as free twice");
      }
    }
    partition(seen, [&](std::uint64_t id) { return free.contains(id); });
  }

  template <class IsFree>
  void partition(const PageSet& seen, const IsFree& is_free) {
    Run same;
    int kind = 0;
    const auto flush = [&] {
      if (kind != 0)
        pages(same, kind == 1 ? " is neither reachable nor free" : " is reachable and free");
    };
    for (std::uint64_t id = kFirstDataPage; id < view_.page_limit; ++id) {
      const bool reached = seen.contains(id);
      const int now = reached != is_free(id) ? 0 : reached ? 2 : 1;
      if (now == kind) {
        ++same.count;
        continue;
      }
      flush();
      kind = now;
      same = {id, 1};
    }
    flush();
  }

 private:
  void pages(Run run, const char* what) {
    std::string text = "bolt " + *view_.path + ": page " + std::to_string(run.first);
    if (run.count > 1) text += " and the " + std::to_string(run.count - 1) + " after it: each";
    text += " at offset " + std::to_string(run.first * view_.page_size);
    fault(text + what);
  }

  const View& view_;
  const Meta& meta_;
  const FaultReport& report_;
  std::uint64_t faults_ = 0;
};

}  // namespace

std::uint64_t check_state(const View& view, const Meta& meta, unsigned threads,
                          const FaultReport& report, const FreeTest& live_free) {
  Audit audit(view, meta, report);
  if (view.page_limit < meta.high_water) {
    audit.fault("bolt " + *view.path + ": file ends at page " + std::to_string(view.page_limit) +
                ", the high-water mark is " + std::to_string(meta.high_water));
  }
  PageSet seen(view.page_limit);
  if (threads > 1 && !walk_tree(view, meta, true, threads, seen).empty()) threads = 1;
  if (threads <= 1) {
    seen = PageSet(view.page_limit);
    PageWalk walk(view, seen, true, false, [&](const Error& e) { audit.fault(e.message); });
    walk.tree(meta.root);
  }
  if (meta.freelist != kNoFreelist) audit.stored_freelist(seen);
  if (live_free && audit.faults() == 0) audit.partition(seen, live_free);
  return audit.faults();
}

void Database::check_committed() {
  std::string first;
  const FaultReport report = [&](const std::string& fault) {
    if (first.empty()) first = fault;
  };
  const auto is_free = [this](std::uint64_t id) { return writer_->freelist.is_free(id); };
  if (check_state(view_of(state_), state_.meta, 1, report, is_free) == 0) return;
  die("strict check of a commit", Error{Code::kCorruption, first});
}

Result<std::uint64_t> Database::check(const std::function<void(const std::string&)>& report) {
  std::optional<Tx> turn;  // keeps the writer away, so that its freelist is that of the state
  if (!options_.read_only) {
    TRUSS_ASSIGN(turn, begin_write());
  }
  State state;
  {
    std::lock_guard lock(mutex_);
    state = state_;
  }
  FreeTest live;
  if (turn) {
    live = [&list = writer_->freelist](std::uint64_t id) { return list.is_free(id); };
  }
  return check_state(view_of(state), state.meta, walk_threads(state.meta), report, live);
}

}  // namespace truss::bolt
