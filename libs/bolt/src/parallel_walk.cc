#include <atomic>
#include <optional>

#include "truss/bolt/walk.h"
#include "truss/common/executor.h"

// A walk by several threads: the upper levels are cut into many parts, which the threads take one
// after the other. Every page is marked once in the shared set, whoever comes first.
namespace truss::bolt {
namespace {

constexpr std::size_t kPartsPerThread = 64;

struct Work {
  const View& view;
  PageSet& seen;
  bool strict;
  const KnownLeaves* known;
  std::vector<PageWalk::Part> parts;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};

  /// Takes parts until there are none, or somebody found a fault.
  void run(std::optional<Error>& fault) {
    PageWalk walk(view, seen, strict, true, [&](Error error) { fault = std::move(error); });
    walk.know(known);
    while (!failed.load(std::memory_order_relaxed)) {
      const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= parts.size()) return;
      walk.part(parts[i]);
      if (walk.stopped()) failed.store(true, std::memory_order_relaxed);
    }
  }
};

}  // namespace

std::vector<Error> walk_tree(const View& view, const Meta& meta, bool strict, unsigned threads,
                             PageSet& seen, const KnownLeaves* known) {
  std::vector<std::optional<Error>> faults(threads == 0 ? 1 : threads);
  Work work{view, seen, strict, known, {}};
  PageWalk top(view, seen, strict, true, [&](Error error) { faults[0] = std::move(error); });
  top.know(known);
  if (faults.size() == 1) {
    top.tree(meta.root);
  } else {
    work.parts = top.split(meta.root, kPartsPerThread * faults.size());
    if (!top.stopped() && !work.parts.empty()) {
      std::vector<Thread> helpers;
      for (std::size_t i = 1; i < faults.size(); ++i) {
        helpers.emplace_back("bolt-walk", [&work, &fault = faults[i]] { work.run(fault); });
      }
      work.run(faults[0]);
      for (Thread& helper : helpers) helper.join();
    }
  }
  std::vector<Error> out;
  for (auto& fault : faults) {
    if (fault) out.push_back(*std::move(fault));
  }
  return out;
}

}  // namespace truss::bolt
