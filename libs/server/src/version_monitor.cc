#include "version_monitor.h"

#include <algorithm>

#include "node.h"
#include "publisher.h"
#include "truss/common/coding.h"

namespace truss::server {
namespace {

constexpr Version kUndecided{3, 0, 0};

}  // namespace

void VersionMonitor::check() {
  if (busy_ || !node_.progress_.is_leader || node_.stopping_) return;
  busy_ = true;
  const auto others = node_.other_members();
  if (others.empty()) return decide({});
  poll_versions(node_.env_.queries, others, node_.poll_timeout(), [this](PolledVersions versions) {
    executor_.post([this, versions = std::move(versions)] { decide(versions); });
  });
}

void VersionMonitor::decide(const PolledVersions& others) {
  const Version own = version_of(node_.level_);
  const auto all_others = others.empty() ? own : lowest_server(others);
  const auto present = parse_version(node_.membership_.version());
  if (present && node_.membership_.downgrade().enabled) return decide_downgrade(others, *present);
  std::optional<Version> next;
  if (all_others) next = std::min(own, *all_others).minor_only();
  if (!present && !next) next = kUndecided;
  const bool raises = next && (!present || (next->major == present->major && *next > *present));
  if (!raises || !node_.progress_.is_leader || node_.stopping_) {
    busy_ = false;
    return;
  }
  propose(next->text(), form_by_servers(node_.level_, others));
}

void VersionMonitor::decide_downgrade(const PolledVersions& others, const Version& present) {
  const auto target = parse_version(node_.membership_.downgrade().target_version);
  Version least = version_of(node_.level_).minor_only();
  Version most = least;
  for (const auto& answer : others) {
    const auto version = answer ? parse_version(answer->server) : std::nullopt;
    if (!version) return settled();
    least = std::min(least, version->minor_only());
    most = std::max(most, version->minor_only());
  }
  if (!target || !node_.progress_.is_leader || node_.stopping_) return settled();
  if (least == *target && most == *target && present == *target) {
    node_.env_.logger.info("the cluster has been downgraded",
                           {{"cluster-version", target->text()}});
    return node_.set_downgrade(
        {}, [this](const Result<ApplyResponse>&) { executor_.post([this] { settled(); }); });
  }
  const bool lowers = is_release_before(*target, present) &&
                      (is_release_before(*target, least) || least == *target);
  if (!lowers) return settled();
  propose(target->text(), form_by_servers(node_.level_, others));
}

void VersionMonitor::propose(const std::string& version, VersionForm form) {
  auto done = [this](const Result<ApplyResponse>&) { executor_.post([this] { busy_ = false; }); };
  const std::uint64_t id = node_.ids_->next();
  if (form == VersionForm::kInternal) {
    std::string body;
    PbWriter(body).put_bytes(1, version);
    return node_.submit(id, encode_internal_request(Op::kClusterVersionSet, body, id),
                        std::move(done));
  }
  node_.submit(id, encode_legacy_put(id, "/0/version", version), std::move(done));
}

}  // namespace truss::server
