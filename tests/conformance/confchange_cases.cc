#include "interaction.h"
#include "truss/raft/membership.h"
#include "truss/raft/text.h"

namespace truss::conformance {

namespace {

/// One membership, changed by one command after another; the log grows by one each time.
class Changes {
 public:
  Result<std::string> handle(const Case& c) {
    const raft::Index last_index = last_index_;
    ++last_index_;
    TRUSS_ASSIGN(const std::vector<raft::ConfChangeSingle> changes, parse_changes(c.input));
    TRUSS_ASSIGN(const bool auto_leave, parse_bool(c.value("autoleave", "false")));
    const raft::Changer changer(now_, last_index, window_);
    Result<raft::Membership> next = fail(Code::kInvalidArgument, "unknown command " + c.command);
    if (c.command == "simple") next = changer.simple(changes);
    if (c.command == "enter-joint") next = changer.enter_joint(auto_leave, changes);
    if (c.command == "leave-joint") next = changer.leave_joint();
    if (!next && next.error().code == Code::kInvalidArgument) return tl::unexpected(next.error());
    if (!next) return next.error().message;
    now_ = *std::move(next);
    return raft::config_text(now_.config) + "\n" +
           raft::to_text(std::span<const raft::Progress>(now_.peers));
  }

 private:
  raft::Inflights window_{10, 0};
  raft::Membership now_;
  raft::Index last_index_;
};

}  // namespace

Outcome run_confchange(std::string_view text, std::string* rewritten) {
  Changes changes;
  return run(
      text, false, [&changes](const Case& c) { return changes.handle(c); }, rewritten);
}

}  // namespace truss::conformance
