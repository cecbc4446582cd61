#include "truss/tool/output.h"

namespace truss::tool {

Format OutputOptions::format() const {
  if (format_name == "json") return Format::kJson;
  return format_name == "table" ? Format::kTable : Format::kText;
}

void add_output_options(Command& root, OutputOptions& options) {
  root.choice("-o,--output", "FORMAT", "form of the output", &options.format_name,
              {"text", "json", "table"});
  root.flag("--no-progress", "show no progress on a terminal", &options.no_progress);
}

}  // namespace truss::tool
