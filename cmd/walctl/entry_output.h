#pragma once

#include <iosfwd>
#include <string>

#include "stream_decoder.h"
#include "truss/tool/output.h"
#include "truss/tool/report.h"
#include "truss/waltool/entries.h"
#include "truss/waltool/operation.h"

namespace truss::walctl {

/// Prints entries as they come: text a line each, JSON an object a line; a table at the end.
class EntryOutput {
 public:
  /// \param live  what is committed is not known yet, and not said
  /// \param decoded  each entry comes with what a decoder says
  EntryOutput(tool::Format format, std::ostream& out, bool live = false, bool decoded = false);
  /// \param decoded  what a --stream-decoder says, null without one
  void add(const waltool::LogEntry& entry, const waltool::Operation& operation,
           const Decoded* decoded = nullptr);
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
