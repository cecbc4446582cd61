#include "truss/waltool/survey.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include "tool.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"

namespace truss::walctl {
namespace {

tool::Table choices(const std::vector<waltool::Survivor>& survivors) {
  tool::Table table({{"RANK", "rank"},
                     {"DIR", "dir"},
                     {"MEMBER", "memberId"},
                     {"CLUSTER", "clusterId"},
                     {"VERDICT", "verdict"},
                     {"TERM", "term"},
                     {"LAST TERM", "lastTerm"},
                     {"LAST", "lastIndex"},
                     {"COMMIT", "commit"},
                     {"DB INDEX", "consistentIndex"},
                     {"REVISION", "revision"},
                     {"MEMBERS", "members"},
                     {"CHOOSING IT LOSES", "loses"}});
  std::uint64_t rank = 0;
  for (const waltool::Survivor& s : survivors) {
    std::string members;
    for (const auto& [id, learner] : s.members)
      members += (members.empty() ? "" : " ") + hex_id(id) + (learner ? "(learner)" : "");
    table.add({++rank, s.dir, hex_id(s.node_id.value()), hex_id(s.cluster_id),
               waltool::verdict_name(s.verdict), s.term.value(), s.last_term.value(),
               s.usable_last.value(), s.commit.value(), s.consistent_index, s.revision, members,
               s.loses});
  }
  return table;
}

Result<int> survey(Tool& tool, const std::vector<std::string>& dirs, tool::Console& console) {
  std::vector<waltool::Survivor> survivors;
  for (const std::string& dir : dirs) {
    TRUSS_ASSIGN(const auto evidence, tool.gather(dir, console));
    survivors.push_back(waltool::survivor_of(dir, evidence));
  }
  TRUSS_TRY(waltool::rank(survivors));
  console.out << choices(survivors).render(tool.format());
  return tool::kFine;
}

}  // namespace

void add_survey(tool::Command& root, Tool& tool) {
  auto dirs = std::make_shared<std::vector<std::string>>();
  root.command("survey", "compare members' directories after a lost quorum; the best comes first")
      .describe(
          "Ranks by what a member holds of the log: the term of its last entry, then how far it "
          "goes. Of each it says what choosing it loses that another is known to have committed.")
      .arguments("DIR", "data directories of one cluster's members", dirs.get(), 1,
                 tool::Hint::kFolder)
      .example("Two of three are gone for good, one more has an old copy:",
               "walctl survey /var/lib/etcd/s1 /mnt/rescued/s2")
      .run([&tool, dirs](tool::Console& console) {
        return tool.run(console, [&] { return survey(tool, *dirs, console); });
      });
}

}  // namespace truss::walctl
