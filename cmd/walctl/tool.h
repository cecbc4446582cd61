#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "commands.h"
#include "truss/tool/command.h"
#include "truss/tool/session.h"
#include "truss/waltool/data_dir.h"
#include "truss/waltool/evidence.h"

namespace truss::walctl {

/// What every command of walctl has at hand.
struct Tool : tool::Session {
  explicit Tool(const Environment& with) : Session{with.files, with.clock}, environment(with) {}

  Environment environment;
  std::string wal_dir;

  /// Runs `body` and turns its error into a line and an exit code.
  int run(tool::Console& console, const std::function<Result<int>()>& body) const;
  Result<waltool::DataDir> locate(const std::string& dir);
  /// gather() with a progress bar.
  Result<waltool::Evidence> gather(const std::string& dir, tool::Console& console);
  /// The error; of a lock on the log, with the process that holds it.
  Error with_holder(Error error, const waltool::DataDir& where);
};

// Each adds its commands to the root.
void add_info(tool::Command& root, Tool& tool);
void add_dump(tool::Command& root, Tool& tool);
void add_history(tool::Command& root, Tool& tool);
void add_fsck(tool::Command& root, Tool& tool);
void add_mend(tool::Command& root, Tool& tool);
void add_survey(tool::Command& root, Tool& tool);
void add_remember(tool::Command& root, Tool& tool);

/// `%x` of an id.
std::string hex_id(std::uint64_t id);

}  // namespace truss::walctl
