#include "node.h"
#include "truss/common/coding.h"
#include "truss/server/errors.h"

/// Going back to the release before. Source: etcdserver/v3_server.go, etcdserver/version.
namespace truss::server {
namespace {

/// `3.5.1` or `3.5`, without its patch.
std::optional<Version> target_of(const std::string& text) {
  auto version = parse_version(text);
  if (!version) version = parse_version(text + ".0");
  if (version) version = version->minor_only();
  return version;
}

std::string shown(const std::string& cluster_version, CompatLevel level) {
  if (level < CompatLevel::k36) return cluster_version;
  return cluster_version.substr(0, cluster_version.rfind('.'));
}

}  // namespace

void Node::downgrade(DowngradeAction action, const std::string& version, VersionCallback done) {
  if (stopping_) return done(tl::unexpected(errors::stopped()));
  const bool cancels = action == DowngradeAction::kCancel;
  const auto target = cancels ? Version{} : target_of(version);
  if (!target) return done(tl::unexpected(errors::downgrade_version_format()));
  // What is agreed on elsewhere must have arrived here.
  linearizable_read_notify(
      [this, action, cancels, target = *target, done = std::move(done)](Result<> read) mutable {
        if (!read) return done(tl::unexpected(std::move(read).error()));
        const std::string present = shown(membership_.version(), level_);
        const auto allowed = check_downgrade(action, target);
        // Since 3.6 there is nothing wrong with ending what has not begun.
        const bool done_already = !allowed && cancels && level_ >= CompatLevel::k36;
        if (!allowed && !done_already) return done(tl::unexpected(allowed.error()));
        if (done_already || action == DowngradeAction::kValidate) return done(present);
        set_downgrade(cancels ? std::string() : target.text(),
                      [this, done = std::move(done)](const Result<ApplyResponse>& set) mutable {
                        if (!set) return done(tl::unexpected(set.error()));
                        done(shown(membership_.version(), level_));
                      });
      });
}

Result<> Node::check_downgrade(DowngradeAction action, const Version& target) const {
  const bool under_way = membership_.downgrade().enabled;
  if (action == DowngradeAction::kCancel) {
    if (!under_way) return tl::unexpected(errors::no_downgrade());
    return {};
  }
  const auto present = parse_version(membership_.version());
  if (!present) return tl::unexpected(errors::downgrade_no_version());
  if (!is_release_before(target, *present)) return tl::unexpected(errors::downgrade_target());
  if (under_way) return tl::unexpected(errors::downgrade_in_process());
  return {};
}

void Node::set_downgrade(const std::string& target, ApplyCallback done) {
  std::string body;
  if (!target.empty()) {
    PbWriter out(body);
    out.field_varint(1, 1);
    out.put_bytes(2, target);
  }
  propose(Op::kDowngradeInfoSet, body, std::move(done));
}

void Node::downgrade_enabled(absl::AnyInvocable<void(Result<bool>)> done) {
  linearizable_read_notify([this, done = std::move(done)](Result<> read) mutable {
    if (!read) return done(tl::unexpected(std::move(read).error()));
    done(membership_.downgrade().enabled);
  });
}

}  // namespace truss::server
