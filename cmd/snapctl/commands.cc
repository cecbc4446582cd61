#include "commands.h"

#include <vector>

#include "session.h"

namespace truss::snapctl {

struct Commands::Impl {
  explicit Impl(FileSystem& files) : session{files, clock} {
    root.describe(
        "Works on snapshots of real etcd 3.4 to 3.7 and of ours, on copies of a db file, and on "
        "the "
        "data directories of members. Nothing that is only read is ever changed; a file that some "
        "process writes to is refused, and the process named. "
        "Members are reached without TLS only, so far.");
    root.example("A backup that is known to restore:",
                 "snapctl save backup.db && snapctl verify backup.db");
    tool::add_output_options(root, session.output);
    holders = {add_transfer_commands(root, session), add_inspect_commands(root, session),
               add_restore_command(root, session), add_compare_commands(root, session),
               add_undelete_command(root, session)};
  }
  SystemClock clock;
  Session session;
  tool::Command root{"snapctl", "save, check, compare and restore snapshots of an etcd cluster"};
  std::vector<Holder> holders;
};

Commands::Commands(FileSystem& files) : impl_(std::make_unique<Impl>(files)) {}
Commands::~Commands() = default;
const tool::Command& Commands::root() const { return impl_->root; }

}  // namespace truss::snapctl
