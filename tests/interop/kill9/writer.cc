#include "writer.h"

#include <algorithm>

namespace truss::kill9 {
namespace {

/// 0 stands for a revision that nobody told.
bool same(const Pairs& expected, const Pairs& seen) {
  return std::equal(expected.begin(), expected.end(), seen.begin(), seen.end(),
                    [](const auto& a, const auto& b) {
                      const auto wanted = a.second.mod_revision;
                      return a.first == b.first && a.second.value == b.second.value &&
                             (wanted == 0 || wanted == b.second.mod_revision);
                    });
}

std::string text(const Pairs& pairs, const std::string& key) {
  const auto it = pairs.find(key);
  if (it == pairs.end()) return "absent";
  return it->second.value.substr(0, 24) + " at " + std::to_string(it->second.mod_revision);
}

}  // namespace

Writer::Writer(int number, std::uint64_t seed)
    : prefix_("w" + std::to_string(number) + "/"), random_(seed) {}

void Writer::start(net::Channel& channel) {
  channel_ = &channel;
  idle_ = false;
  next();
}

std::string Writer::random_key() { return prefix_ + std::to_string(random_.below(40)); }

void Writer::next() {
  const std::string key = random_key();
  const std::string value = std::to_string(++values_) + ":" + std::string(random_.below(300), 'v');
  auto done = [this](Result<SharedBytes> response) { answered(std::move(response)); };
  open_.clear();
  switch (random_.below(8)) {
    case 0:
      open_[key] = std::nullopt;
      return channel_->unary("/etcdserverpb.KV/DeleteRange", delete_request(key), std::move(done));
    case 1: {
      std::string other = random_key();
      while (other == key) other = random_key();  // a txn may not put a key twice
      open_[key] = open_[other] = value;
      return channel_->unary("/etcdserverpb.KV/Txn", two_puts_request(key, other, value),
                             std::move(done));
    }
    default:
      open_[key] = value;
      return channel_->unary("/etcdserverpb.KV/Put", put_request(key, value), std::move(done));
  }
}

void Writer::answered(Result<SharedBytes> response) {
  auto revision = response ? header_revision(response->view()) : tl::unexpected(response.error());
  if (!revision) {
    idle_ = true;
    return;
  }
  known_ = after(open_, *revision);
  last_revision_ = std::max(last_revision_, *revision);
  ++acknowledged_;
  next();
}

Pairs Writer::after(const Effect& effect, std::int64_t revision) const {
  Pairs out = known_;
  for (const auto& [key, value] : effect) {
    if (value) {
      out[key] = {*value, revision};
    } else {
      out.erase(key);
    }
  }
  return out;
}

std::string Writer::reconcile(const Pairs& store) {
  Pairs seen;
  for (auto it = store.lower_bound(prefix_); it != store.end() && it->first.starts_with(prefix_);
       ++it) {
    seen.insert(*it);
  }
  const Pairs maybe = after(open_, 0);
  if (!same(known_, seen) && !same(maybe, seen)) {
    for (const auto& [key, stored] : maybe) {
      if (text(seen, key) != text(known_, key)) {
        return "key " + key + ": acknowledged " + text(known_, key) + ", in flight " +
               text(maybe, key) + ", found " + text(seen, key);
      }
    }
    return "writer " + prefix_ + ": " + std::to_string(seen.size()) + " keys, acknowledged " +
           std::to_string(known_.size());
  }
  known_ = std::move(seen);
  open_.clear();
  return {};
}

}  // namespace truss::kill9
