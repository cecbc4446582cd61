#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "truss/snaptool/db_file.h"
#include "truss/snaptool/endpoint.h"
#include "truss/snaptool/key_source.h"
#include "truss/tool/command.h"
#include "truss/tool/json_writer.h"
#include "truss/tool/progress.h"
#include "truss/tool/session.h"

namespace truss::snapctl {

using Session = tool::Session;

/// Prints the error, for a locked file with the process that holds it, and returns the exit code.
int report(tool::Console& console, Error error, const std::string& path = "");

/// A progress bar that takes its total from the first report. Reports may come from another thread,
/// one at a time.
class Bar {
 public:
  Bar(const Session& session, tool::Console& console, std::string what);
  snaptool::Progress sink();

 private:
  const Session& session_;
  tool::Console& console_;
  std::string what_;
  std::unique_ptr<tool::Progress> progress_;
};

/// `--endpoint`, `--user` and `--timeout` of commands that talk to a member.
struct MemberOptions {
  std::string user;
  std::uint64_t timeout_s = 5;
  void add_to(tool::Command& command);
  snaptool::Endpoint endpoint(const std::string& address) const;
};

/// `--prefix`, `--key`: at most one of them.
struct RangeOptions {
  std::string prefix;
  std::string key;
  void add_to(tool::Command& command);
  /// *Errors:* kInvalidArgument for both.
  Result<snaptool::KeyRange> range() const;
};

/// The fields of a key, inside an object that the caller opens.
void write_key_value(tool::JsonWriter& json, const schema::KeyValueView& kv);

/// `{…}` and a line end: `fill` writes the fields.
std::string json_line(const std::function<void(tool::JsonWriter&)>& fill);

/// Bytes as etcdctl shows them, in powers of ten: `45 kB`, `7.9 MB`.
std::string si_bytes(std::uint64_t bytes);

/// Threads for walks over whole files, 8 at most.
unsigned processors();

// Each adds one group of commands to the root. Their variables live as long as what they return.
using Holder = std::shared_ptr<void>;
Holder add_inspect_commands(tool::Command& root, Session& session);
Holder add_restore_command(tool::Command& root, Session& session);
Holder add_transfer_commands(tool::Command& root, Session& session);
Holder add_compare_commands(tool::Command& root, Session& session);
Holder add_undelete_command(tool::Command& root, Session& session);

}  // namespace truss::snapctl
