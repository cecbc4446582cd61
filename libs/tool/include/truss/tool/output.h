#pragma once

#include <cstdint>
#include <string>

#include "truss/tool/command.h"

namespace truss::tool {

enum class Format : std::uint8_t { kText, kJson, kTable };

/// What every command takes: `-o text|json|table` and `--no-progress`.
struct OutputOptions {
  Format format() const;
  std::string format_name = "text";
  bool no_progress = false;
};
/// Adds both to `root` (its subcommands understand them too). `options` is borrowed.
void add_output_options(Command& root, OutputOptions& options);

}  // namespace truss::tool
