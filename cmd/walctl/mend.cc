#include <memory>
#include <ostream>

#include "tool.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/json_writer.h"
#include "truss/waltool/repair.h"

namespace truss::walctl {
namespace {

struct RepairOptions {
  std::string dir;
  bool dry_run = false;
};

void print(Tool& tool, tool::Console& console, waltool::Verdict verdict, bool done,
           const std::vector<std::string>& steps) {
  if (tool.format() != tool::Format::kJson) {
    console.out << waltool::verdict_name(verdict) << "\n";
    for (const std::string& step : steps) console.out << step << "\n";
    return;
  }
  std::string text;
  tool::JsonWriter json(text);
  json.begin_object().field("verdict", waltool::verdict_name(verdict)).field("done", done);
  json.key("steps").begin_array();
  for (const std::string& step : steps) json.value(step);
  json.end_array().end_object();
  console.out << text << "\n";
}

Result<int> repair(Tool& tool, const RepairOptions& options, tool::Console& console) {
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  TRUSS_ASSIGN(const auto evidence, tool.gather(options.dir, console));
  const auto judgement = waltool::judge(evidence);
  const bool refused = judgement.repair.kind == waltool::RepairKind::kRefused;
  if (options.dry_run || refused) {
    print(tool, console, judgement.verdict, false,
          waltool::repair_steps(where, evidence, judgement));
    return refused ? tool::kRefused : tool::kFine;
  }
  const auto& env = tool.environment;
  const auto steps =
      waltool::repair(tool.files, env.names, env.process, where, evidence, judgement);
  if (!steps) return Unexpected(tool.with_holder(steps.error(), where));
  print(tool, console, judgement.verdict, true, *steps);
  return tool::kFine;
}

}  // namespace

void add_mend(tool::Command& root, Tool& tool) {
  auto options = std::make_shared<RepairOptions>();
  root.command("repair", "mend a log as far as fsck allows it")
      .describe(
          "Does nothing to a log that fsck calls LOST or UNKNOWN. A damaged end is cut off, after "
          "a "
          "copy of the segment; damage further in makes it write a new log of what is good and "
          "exchange the two. The old segments are kept beside it. The member must be stopped.")
      .argument("DIR", "data directory", &options->dir, tool::Hint::kFolder)
      .flag("-n,--dry-run", "say what would be done, change nothing", &options->dry_run)
      .example("Look first:", "walctl repair --dry-run /var/lib/etcd/default")
      .run([&tool, options](tool::Console& console) {
        return tool.run(console, [&] { return repair(tool, *options, console); });
      });
}

}  // namespace truss::walctl
