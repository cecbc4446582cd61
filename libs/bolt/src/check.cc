#include "database.h"
#include "freelist_page.h"
#include "walk.h"

namespace truss::bolt {
namespace {

/// Compares the pages found with the free ones: each page must be exactly one of the two.
class Audit {
 public:
  Audit(const std::string& path, const std::function<void(const std::string&)>& report)
      : path_(path), report_(report) {}

  void fault(const std::string& what) {
    ++faults_;
    report_(what);
  }
  void page(std::uint64_t id, const char* what) {
    fault("bolt " + path_ + ": page " + std::to_string(id) + " " + what);
  }
  std::uint64_t faults() const { return faults_; }

 private:
  const std::string& path_;
  const std::function<void(const std::string&)>& report_;
  std::uint64_t faults_ = 0;
};

void audit_freelist(Audit& audit, const View& view, const Meta& meta, PageSet& seen,
                    const Freelist* live) {
  PageSet free(view.page_limit);
  if (meta.freelist != kNoFreelist) {
    auto stored = read_freelist(view, meta.freelist);
    if (!stored) return audit.fault(stored.error().message);
    if (!seen.insert(stored->pages)) {
      audit.page(stored->pages.first, "holds the freelist and is referenced by the tree too");
    }
    for (const std::uint64_t id : stored->ids) {
      if (id < kFirstDataPage || id >= view.page_limit) {
        audit.page(id, "is listed as free, but outside the file");
      } else if (!free.insert({id, 1})) {
        audit.page(id, "is listed as free twice");
      }
    }
  } else if (!live) {
    return;  // no list anywhere: what is not reachable is free
  }
  for (std::uint64_t id = kFirstDataPage; id < view.page_limit; ++id) {
    const bool is_free = live ? live->is_free(id) : free.contains(id);
    if (seen.contains(id) && is_free) audit.page(id, "is reachable and free");
    if (!seen.contains(id) && !is_free) audit.page(id, "is neither reachable nor free");
  }
}

}  // namespace

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
  const View view = view_of(state);
  Audit audit(path_, report);
  if (view.page_limit < state.meta.high_water) {
    audit.fault("bolt " + path_ + ": file ends at page " + std::to_string(view.page_limit) +
                ", the high-water mark is " + std::to_string(state.meta.high_water));
  }
  PageWalk walk(view, true, false, [&](const Error& e) { audit.fault(e.message); });
  walk.tree(state.meta.root);
  audit_freelist(audit, view, state.meta, walk.seen(), turn ? &writer_->freelist : nullptr);
  return audit.faults();
}

}  // namespace truss::bolt
