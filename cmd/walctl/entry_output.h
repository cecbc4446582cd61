#pragma once

#include <iosfwd>
#include <string>

#include "truss/tool/output.h"
#include "truss/tool/report.h"
#include "truss/waltool/entries.h"
#include "truss/waltool/operation.h"

namespace truss::walctl {

/// Prints entries as they come: text a line each, JSON an object a line; a table at the end.
class EntryOutput {
 public:
  /// \param live  what is committed is not known yet, and not said
  EntryOutput(tool::Format format, std::ostream& out, bool live = false);
  void add(const waltool::LogEntry& entry, const waltool::Operation& operation);
  /// Prints what is held back.
  void flush();
  void finish();

 private:
  const tool::Format format_;
  std::ostream& out_;
  const bool live_;
  std::string held_;
  tool::Table table_;
};

}  // namespace truss::walctl
