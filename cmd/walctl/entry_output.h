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
  EntryOutput(tool::Format format, std::ostream& out);
  void add(const waltool::LogEntry& entry, const waltool::Operation& operation);
  /// Prints what is held back.
  void flush();
  void finish();

 private:
  const tool::Format format_;
  std::ostream& out_;
  std::string held_;
  tool::Table table_;
};

}  // namespace truss::walctl
