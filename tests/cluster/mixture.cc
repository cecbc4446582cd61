#include "mixture.h"

#include <algorithm>

#include "requests.h"

namespace truss::cluster {
namespace {

constexpr std::int64_t kLeaseSeconds = 3600;
constexpr std::uint64_t kKeptRevisions = 100;
constexpr auto kPatience = std::chrono::seconds(20);

/// Errors that one client causes another.
bool is_race(const Error& error) {
  return error.message.find("lease not found") != std::string::npos ||
         error.message.find("has been compacted") != std::string::npos;
}

}  // namespace

Mixture::Mixture(Clock& clock, MixtureOptions options)
    : options_(std::move(options)), random_(options_.seed), thread_("mix", clock) {
  for (const std::string& endpoint : options_.endpoints) {
    channels_.push_back(std::make_unique<net::Channel>(thread_, clock, endpoint));
  }
}

Mixture::~Mixture() { channels_.clear(); }

MixtureResult Mixture::run() {
  left_ = options_.operations;
  running_ = options_.clients;
  thread_.post([this] {
    for (int i = 0; i < options_.clients; ++i) next(static_cast<std::size_t>(i));
  });
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return running_ == 0; });
  return std::move(result_);
}

std::string Mixture::random_key() {
  return options_.prefix + std::to_string(random_.below(options_.keys));
}

Mixture::Call Mixture::choose() {
  const std::string value(1 + random_.below(200), static_cast<char>('a' + random_.below(26)));
  const std::uint64_t dice = random_.below(1000);
  if (dice < 600) return {"put", "/etcdserverpb.KV/Put", put_request(random_key(), value)};
  if (dice < 700) return {"delete", "/etcdserverpb.KV/DeleteRange", remove_request(random_key())};
  if (dice < 850) {
    const std::string guard = random_key();
    std::string key = random_key();
    while (key == guard) key = random_key();  // a txn may not write a key twice
    return {"txn", "/etcdserverpb.KV/Txn", txn_request(guard, key, value)};
  }
  if (dice < 900 && !leases_.empty()) {
    const std::int64_t lease = leases_[random_.below(leases_.size())];
    return {"leased put", "/etcdserverpb.KV/Put", put_request(random_key(), value, lease)};
  }
  return choose_rare(dice);
}

Mixture::Call Mixture::choose_rare(std::uint64_t dice) {
  if (dice < 950 || leases_.empty()) {
    const auto id = static_cast<std::int64_t>(random_.next() >> 2);
    return {"grant", "/etcdserverpb.Lease/LeaseGrant", lease_grant_request(id, kLeaseSeconds), id};
  }
  if (dice < 980) {
    const std::size_t at = random_.below(leases_.size());
    const std::int64_t lease = leases_[at];
    leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(at));
    return {"revoke", "/etcdserverpb.Lease/LeaseRevoke", lease_revoke_request(lease)};
  }
  if (dice < 995 || revision_ <= static_cast<std::int64_t>(kKeptRevisions)) {
    const std::string first = random_key();
    return {"range delete", "/etcdserverpb.KV/DeleteRange", remove_request(first, first + "~")};
  }
  const std::int64_t at = revision_ - static_cast<std::int64_t>(kKeptRevisions);
  return {"compaction", "/etcdserverpb.KV/Compact", compact_request(at)};
}

void Mixture::next(std::size_t client) {
  if (left_ == 0) {
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) ended_.notify_all();
    return;
  }
  --left_;
  Call call = choose();
  net::Channel& channel = *channels_[random_.below(channels_.size())];
  const std::string_view path = call.path;
  SharedBytes request = call.request;
  auto done = [this, call = std::move(call), client](Result<SharedBytes> answer) {
    ended(call, answer, client);
  };
  net::CallOptions call_options;
  call_options.timeout = kPatience;
  channel.unary(path, std::move(request), std::move(done), call_options);
}

void Mixture::ended(const Call& call, const Result<SharedBytes>& answer, std::size_t client) {
  if (answer) {
    ++result_.done[call.name];
    revision_ = std::max(revision_, header_revision(answer->view()));
    if (call.lease != 0) leases_.push_back(call.lease);
  } else if (is_race(answer.error())) {
    ++result_.refused;
  } else if (result_.errors++ == 0) {
    result_.first_error = std::string(call.name) + ": " + answer.error().message;
  }
  next(client);
}

}  // namespace truss::cluster
