#include "commands.h"

#include "tool.h"

namespace truss::walctl {

struct Commands::Impl {
  explicit Impl(const Environment& environment) : tool(environment) {}
  Tool tool;
  tool::Command root{"walctl", "look into etcd's write-ahead log, judge it, and mend it"};
};

Commands::Commands(const Environment& environment) : impl_(std::make_unique<Impl>(environment)) {
  tool::Command& root = impl_->root;
  root.describe(
      "Works on the data directories of etcd 3.4 to 3.7 and of member. A directory is given as "
      "data "
      "directory, as its member folder, or as a bare folder of segments. Commands that only look "
      "take no lock and never write a byte, so they may be used on a running member; what they "
      "say of it may then be a moment old.");
  tool::add_output_options(root, impl_->tool.output);
  root.option("--wal-dir", "DIR", "the log, if it does not lie in DIR/member/wal",
              &impl_->tool.wal_dir, tool::Hint::kFolder);
  add_info(root, impl_->tool);
  add_dump(root, impl_->tool);
  add_history(root, impl_->tool);
  add_fsck(root, impl_->tool);
  add_mend(root, impl_->tool);
  add_survey(root, impl_->tool);
  add_remember(root, impl_->tool);
}

Commands::~Commands() = default;
const tool::Command& Commands::root() const { return impl_->root; }

int run(const Environment& environment, const std::vector<std::string>& words,
        tool::Console& console) {
  const Commands commands(environment);
  return tool::run_tool(commands.root(), words, console);
}

}  // namespace truss::walctl
