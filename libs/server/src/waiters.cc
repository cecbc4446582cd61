#include "waiters.h"

#include "truss/server/errors.h"

namespace truss::server {

bool Waiters::add(std::uint64_t id, MonoTime now, Callback done) {
  Shard& s = shard(id);
  {
    std::lock_guard lock(s.mutex);
    if (!s.stopped) {
      s.waiting.insert_or_assign(id, Waiter{now, std::move(done)});
      s.by_age.emplace_back(now, id);
      return true;
    }
  }
  done(tl::unexpected(errors::stopped()));
  return false;
}

bool Waiters::answer(std::uint64_t id, Result<ApplyResponse> response) {
  Shard& s = shard(id);
  Callback done;
  {
    std::lock_guard lock(s.mutex);
    const auto it = s.waiting.find(id);
    if (it == s.waiting.end()) return false;
    done = std::move(it->second.done);
    s.waiting.erase(it);
    while (!s.by_age.empty() && !s.waiting.contains(s.by_age.front().second)) s.by_age.pop_front();
  }
  done(std::move(response));
  return true;
}

bool Waiters::waiting(std::uint64_t id) const {
  const Shard& s = shard(id);
  std::lock_guard lock(s.mutex);
  return s.waiting.contains(id);
}

void Waiters::keep(std::uint64_t id) {
  Shard& s = shard(id);
  std::lock_guard lock(s.mutex);
  const auto it = s.waiting.find(id);
  if (it != s.waiting.end()) it->second.kept = true;
}

std::vector<Waiters::Expired> Waiters::take_older_than(MonoTime limit) {
  std::vector<Expired> out;
  for (Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    for (; !s.by_age.empty() && s.by_age.front().first <= limit; s.by_age.pop_front()) {
      const auto it = s.waiting.find(s.by_age.front().second);
      if (it == s.waiting.end() || it->second.kept) continue;
      out.push_back({it->second.since, std::move(it->second.done)});
      s.waiting.erase(it);
    }
  }
  return out;
}

void Waiters::stop() {
  std::vector<Callback> open;
  for (Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    s.stopped = true;
    for (auto& [id, waiter] : s.waiting) open.push_back(std::move(waiter.done));
    s.waiting.clear();
    s.by_age.clear();
  }
  for (Callback& done : open) done(tl::unexpected(errors::stopped()));
}

std::size_t Waiters::size() const {
  std::size_t total = 0;
  for (const Shard& s : shards_) {
    std::lock_guard lock(s.mutex);
    total += s.waiting.size();
  }
  return total;
}

}  // namespace truss::server
