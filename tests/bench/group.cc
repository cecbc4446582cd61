#include "group.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "truss/client/client.h"

namespace truss::bench {

Group::Group(const SubjectSpec& spec, std::size_t members, const std::string& folder) {
  for (std::size_t i = 0; i < members; ++i) {
    members_.push_back(std::make_unique<Subject>(spec, folder, "m" + std::to_string(i + 1)));
  }
  for (const auto& member : members_) member->join(initial_cluster());
}

void Group::advertise(const std::vector<int>& ports) {
  for (std::size_t i = 0; i < members_.size(); ++i) members_[i]->advertise_peer(ports[i]);
  for (const auto& member : members_) member->join(initial_cluster());
}

std::string Group::initial_cluster() const {
  std::string all;
  for (const auto& member : members_) all += (all.empty() ? "" : ",") + member->seat_and_url();
  return all;
}

Result<void> Group::start() {
  for (const auto& member : members_) TRUSS_TRY(member->launch());
  for (const auto& member : members_) TRUSS_TRY(member->wait_until_up());
  return order_addresses();
}

Result<void> Group::order_addresses() {
  constexpr int kTries = 100;
  SystemClock clock;
  addresses_.clear();
  for (const auto& member : members_) addresses_.push_back(member->address());
  if (members_.size() == 1) return {};
  for (int i = 0; i < kTries; ++i) {
    for (std::size_t at = 0; at < addresses_.size(); ++at) {
      const auto status = client::Client(clock, addresses_[at]).status();
      if (!status || status->leader == 0 || status->leader != status->header.member_id) continue;
      std::swap(addresses_[at], addresses_.front());
      leader_ = at;
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fail(Code::kUnavailable, name() + ": no leader among " + initial_cluster());
}

void Group::stop() {
  for (const auto& member : members_) member->stop();
}

Result<Usage> Group::usage() const {
  Usage sum;
  for (const auto& member : members_) {
    TRUSS_ASSIGN(const Usage one, member->usage());
    sum.cpu_seconds += one.cpu_seconds;
    sum.rss_anon_kib += one.rss_anon_kib;
    sum.rss_file_kib += one.rss_file_kib;
    sum.wal_fsyncs += one.wal_fsyncs;
  }
  return sum;
}

}  // namespace truss::bench
