#include "freelist.h"

#include <algorithm>

#include "truss/bolt/format.h"

namespace truss::bolt {

Freelist::Freelist(FreelistType type, std::uint64_t high_water) : spans_(type) {
  raise(high_water);
}

void Freelist::raise(std::uint64_t high_water) {
  high_water_ = high_water;
  if (bits_.size() * 64 < high_water) bits_.resize(high_water / 64 + 1 + bits_.size() / 4);
}

bool Freelist::mark(Run run) {
  if (run.first < kFirstDataPage || run.first > high_water_ ||
      run.count > high_water_ - run.first) {
    return false;
  }
  for (std::uint64_t page = run.first; page < run.first + run.count; ++page) {
    if (test(page)) {
      unmark({run.first, page - run.first});
      return false;
    }
    bits_[page / 64] |= std::uint64_t{1} << (page % 64);
  }
  return true;
}

void Freelist::unmark(Run run) {
  for (std::uint64_t page = run.first; page < run.first + run.count; ++page) {
    bits_[page / 64] &= ~(std::uint64_t{1} << (page % 64));
  }
}

bool Freelist::load(Run run) {
  if (!mark(run)) return false;
  spans_.add(run);
  return true;
}

bool Freelist::free(Run run) {
  if (!mark(run)) return false;
  freed_now_.push_back(run);
  pending_count_ += run.count;
  return true;
}

std::uint64_t Freelist::allocate(std::uint64_t count) {
  const auto found = spans_.take(count);
  const std::uint64_t first = found.value_or(high_water_);
  if (found) {
    unmark({first, count});
  } else {
    raise(high_water_ + count);
  }
  taken_now_.push_back({{first, count}, found.has_value()});
  return first;
}

void Freelist::record_allocations(std::uint64_t txid, std::span<const std::uint64_t> readers) {
  // Every reader opened from now on sees these pages: only an older one makes the date matter.
  if (readers.empty()) return;
  for (const Taken& taken : taken_now_) allocated_by_[taken.run.first] = txid;
  newest_allocation_ = txid;
}

void Freelist::commit(std::uint64_t txid, std::span<const std::uint64_t> readers) {
  for (const Run run : freed_now_) {
    const auto it = allocated_by_.find(run.first);
    fresh_.push_back({run, it == allocated_by_.end() ? 0 : it->second, txid});
    if (it != allocated_by_.end()) allocated_by_.erase(it);
  }
  record_allocations(txid, readers);
  freed_now_.clear();
  taken_now_.clear();
}

void Freelist::rollback() {
  for (const Run run : freed_now_) {
    unmark(run);
    pending_count_ -= run.count;
  }
  for (auto it = taken_now_.rbegin(); it != taken_now_.rend(); ++it) {
    if (it->from_spans) {
      mark(it->run);
      spans_.add(it->run);
    } else {
      high_water_ = it->run.first;
    }
  }
  freed_now_.clear();
  taken_now_.clear();
}

void Freelist::place(const Freed& freed, std::span<const std::uint64_t> readers) {
  const auto after = std::lower_bound(readers.begin(), readers.end(), freed.freed_by);
  if (after == readers.begin() || *std::prev(after) < freed.allocated_by) {
    spans_.add(freed.run);
    pending_count_ -= freed.run.count;
  } else {
    blocked_[*std::prev(after)].push_back(freed);
  }
}

void Freelist::release(std::span<const std::uint64_t> readers) {
  std::vector<Freed> again = std::exchange(fresh_, {});
  for (auto it = blocked_.begin(); it != blocked_.end();) {
    if (std::binary_search(readers.begin(), readers.end(), it->first)) {
      ++it;
      continue;
    }
    again.insert(again.end(), it->second.begin(), it->second.end());
    it = blocked_.erase(it);
  }
  for (const Freed& freed : again) place(freed, readers);
  forget_allocations(readers);
}

void Freelist::forget_allocations(std::span<const std::uint64_t> readers) {
  if (readers.empty() || readers.front() >= newest_allocation_) {
    allocated_by_.clear();
  } else if (allocated_by_.size() > prune_at_) {
    absl::erase_if(allocated_by_, [&](const auto& e) { return e.second <= readers.front(); });
    prune_at_ = std::max<std::size_t>(4096, allocated_by_.size() * 2);
  }
}

std::vector<Run> Freelist::all_runs() const {
  std::vector<Run> runs(freed_now_);
  spans_.for_each([&](Run run) { runs.push_back(run); });
  for (const Freed& freed : fresh_) runs.push_back(freed.run);
  for (const auto& [reader, list] : blocked_) {
    for (const Freed& freed : list) runs.push_back(freed.run);
  }
  std::sort(runs.begin(), runs.end(), [](Run a, Run b) { return a.first < b.first; });
  return runs;
}

}  // namespace truss::bolt
