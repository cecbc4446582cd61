#include <algorithm>
#include <unordered_map>

#include "sim_inode.h"

namespace truss::testing {
namespace {

constexpr CrashStyle kStyles[] = {
    CrashStyle::kLoseAll, CrashStyle::kKeepAll,    CrashStyle::kCut,       CrashStyle::kReversed,
    CrashStyle::kRandom,  CrashStyle::kMostlyKept, CrashStyle::kMostlyLost};

/// A moment not long before `now`: recent changes are the interesting ones.
std::uint64_t pick_cut(Random& random, std::uint64_t now) {
  const std::uint64_t span = std::uint64_t{1} << random.below(13);
  return now - std::min(now, random.below(span + 1));
}

class TreeCrasher {
 public:
  explicit TreeCrasher(Survival& survival) : survival_(survival) {}
  InodePtr copy(const Inode& from);

 private:
  bool kept(const DirOp& op);
  Inode::Entries surviving_entries(const Inode& dir);

  Survival& survival_;
  std::unordered_map<const DirOp*, bool> kept_;  // a rename of two directories decides once
  std::unordered_map<const Inode*, InodePtr> copies_;
};

InodePtr TreeCrasher::copy(const Inode& from) {
  if (const auto it = copies_.find(&from); it != copies_.end()) return it->second;
  if (!from.directory) {
    return copies_[&from] = make_file_inode(from.mode, from.data->crashed(survival_));
  }
  InodePtr out = make_directory_inode(from.mode);
  copies_[&from] = out;
  for (const auto& [name, target] : surviving_entries(from)) {
    InodePtr child = copy(*target);
    child->parent = out;
    child->name = name;
    out->entries[name] = std::move(child);
  }
  out->durable = out->entries;
  return out;
}

Inode::Entries TreeCrasher::surviving_entries(const Inode& dir) {
  Inode::Entries out = dir.durable;
  for (const auto& op : dir.pending) {
    if (!kept(*op)) continue;
    for (const auto& effect : op->effects) {
      if (effect.dir.lock().get() != &dir) continue;
      if (effect.target) {
        out[effect.name] = effect.target;
      } else {
        out.erase(effect.name);
      }
    }
  }
  return out;
}

bool TreeCrasher::kept(const DirOp& op) {
  const auto [it, fresh] = kept_.try_emplace(&op, false);
  if (fresh) it->second = survival_.keep(op.seq);
  return it->second;
}

}  // namespace

std::string_view style_name(CrashStyle style) {
  switch (style) {
    case CrashStyle::kAny:
      return "any";
    case CrashStyle::kLoseAll:
      return "lose-all";
    case CrashStyle::kKeepAll:
      return "keep-all";
    case CrashStyle::kCut:
      return "cut";
    case CrashStyle::kReversed:
      return "reversed";
    case CrashStyle::kRandom:
      return "random";
    case CrashStyle::kMostlyKept:
      return "mostly-kept";
    case CrashStyle::kMostlyLost:
      return "mostly-lost";
  }
  return "?";
}

Survival::Survival(Random& random, CrashStyle style, std::uint64_t now)
    : random_(random),
      style_(style == CrashStyle::kAny ? kStyles[random.below(std::size(kStyles))] : style),
      cut_(pick_cut(random, now)) {}

bool Survival::chance() {
  switch (style_) {
    case CrashStyle::kLoseAll:
      return false;
    case CrashStyle::kKeepAll:
      return true;
    case CrashStyle::kMostlyKept:
      return random_.below(8) != 0;
    case CrashStyle::kMostlyLost:
      return random_.below(8) == 0;
    default:
      return random_.below(2) == 0;
  }
}

bool Survival::keep(std::uint64_t seq) {
  if (style_ == CrashStyle::kCut) return seq <= cut_;
  if (style_ == CrashStyle::kReversed) return seq > cut_;
  return chance();
}

std::size_t Survival::pick_version(const std::vector<std::uint64_t>& seqs) {
  if (style_ == CrashStyle::kCut) {
    const auto after = std::upper_bound(seqs.begin() + 1, seqs.end(), cut_);
    return static_cast<std::size_t>(after - seqs.begin()) - 1;
  }
  if (style_ == CrashStyle::kReversed) return seqs.back() > cut_ ? seqs.size() - 1 : 0;
  if (seqs.size() == 1 || !chance()) return 0;
  if (style_ == CrashStyle::kKeepAll || random_.below(2) == 0) return seqs.size() - 1;
  return 1 + random_.below(seqs.size() - 1);
}

std::size_t Survival::pick_prefix(const std::vector<std::uint64_t>& seqs) {
  if (style_ == CrashStyle::kLoseAll || seqs.empty()) return 0;
  if (style_ == CrashStyle::kKeepAll) return seqs.size();
  if (style_ == CrashStyle::kCut) {
    return static_cast<std::size_t>(std::upper_bound(seqs.begin(), seqs.end(), cut_) -
                                    seqs.begin());
  }
  if (chance()) return seqs.size();
  return random_.below(seqs.size() + 1);
}

InodePtr crash_tree(const Inode& root, Survival& survival) {
  return TreeCrasher(survival).copy(root);
}

}  // namespace truss::testing
