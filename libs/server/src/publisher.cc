#include "publisher.h"

#include <algorithm>
#include <utility>

#include "node.h"
#include "truss/common/coding.h"

namespace truss::server {
namespace {

constexpr Duration kRetry = std::chrono::milliseconds(500);
constexpr Duration kLook = std::chrono::milliseconds(20);
constexpr Duration kLeaderCheck = std::chrono::milliseconds(50);

std::string encode_attributes(const Config& config, raft::NodeId self) {
  std::string attributes;
  PbWriter inner(attributes);
  inner.field_bytes(1, config.name);
  for (const std::string& url : config.advertise_client_urls) inner.put_bytes(2, url);
  std::string out;
  PbWriter outer(out);
  outer.field_varint(1, self.value());
  outer.put_bytes(2, attributes);
  return out;
}

}  // namespace

SharedBytes encode_legacy_put(std::uint64_t id, std::string_view path, std::string_view value) {
  std::string out;
  PbWriter pb(out);
  pb.put_varint(1, id);
  pb.put_bytes(2, "PUT");
  pb.put_bytes(3, path);
  pb.put_bytes(4, value);
  pb.put_varint(5, 0);
  pb.put_bytes(6, {});
  pb.put_varint(7, 0);
  for (std::uint32_t field = 9; field <= 16; ++field) pb.put_varint(field, 0);
  return SharedBytes::copy(out);
}

void Publisher::publish() {
  if (node_.stopping_ || done_) return;
  const auto others = node_.other_members();
  const auto form = form_by_cluster(node_.level_, node_.membership_.version(), others.empty());
  if (form) return propose(*form);
  // Without a leader most servers aren't up yet.
  if (node_.progress_.leader == 0) return again(kLeaderCheck);
  auto choose_by = [this, attempt = attempt_](PolledVersions versions) {
    executor_.post([this, attempt, versions = std::move(versions)] {
      if (attempt == attempt_) choose(versions);
    });
  };
  poll_versions(node_.env_.queries, others, node_.poll_timeout(), std::move(choose_by));
}

void Publisher::choose(const PolledVersions& others) {
  if (!lowest_server(others) && --polls_left_ > 0) return again(kRetry);
  propose(form_by_servers(node_.level_, others));
}

void Publisher::again(Duration pause) {
  executor_.post_at(node_.env_.runtime.clock().now() + pause, [this, attempt = attempt_] {
    if (attempt == attempt_) publish();
  });
}

void Publisher::propose(VersionForm form) {
  if (node_.stopping_ || done_) return;
  const Config& config = node_.config_;
  auto done = [this, attempt = attempt_](Result<ApplyResponse> response) {
    executor_.post([this, attempt, response = std::move(response)] {
      if (response || attempt == attempt_) finish(response);
    });
  };
  const std::uint64_t id = node_.ids_->next();
  if (form == VersionForm::kInternal) {
    const std::string body = encode_attributes(config, node_.self_);
    return node_.submit(id, encode_internal_request(Op::kMemberAttributesSet, body, id),
                        std::move(done));
  }
  node_.submit(id,
               encode_legacy_put(id, "/0/members/" + id_text(node_.self_) + "/attributes",
                                 attributes_json(config.name, config.advertise_client_urls)),
               std::move(done));
}

void Publisher::finish(const Result<ApplyResponse>& response) {
  if (node_.stopping_ || done_) return;
  if (!response) {
    node_.env_.logger.warn("failed to publish local member to cluster through raft",
                           {{"error", response.error().message}});
    // Behind a fresh snapshot it is refused until the log is nearly caught up with.
    return again(replaced_ ? kLook : kRetry);
  }
  succeed();
}

void Publisher::log_replaced() {
  if (node_.stopping_ || done_) return;
  if (known()) return succeed();
  ++attempt_;
  if (!std::exchange(replaced_, true)) look();
  publish();
}

void Publisher::look() {
  if (node_.stopping_ || done_) return;
  if (known()) return succeed();
  executor_.post_at(node_.env_.runtime.clock().now() + kLook, [this] { look(); });
}

bool Publisher::known() const {
  const Config& config = node_.config_;
  const auto members = node_.members();
  return std::any_of(members->begin(), members->end(), [&](const Member& m) {
    return m.id == node_.self_ && m.name == config.name &&
           m.client_urls == config.advertise_client_urls;
  });
}

void Publisher::succeed() {
  done_ = true;
  node_.env_.logger.info(
      "published local member to cluster through raft",
      {{"local-member-id", id_text(node_.self_)},
       {"cluster-id", id_text(node_.cluster_)},
       {"local-member-attributes",
        attributes_json(node_.config_.name, node_.config_.advertise_client_urls)}});
  published_();
}

}  // namespace truss::server
