#include <algorithm>
#include <ostream>

#include "tool.h"
#include "truss/tool/json_writer.h"
#include "truss/tool/report.h"
#include "truss/waltool/judge.h"
#include "truss/waltool/operation.h"

namespace truss::walctl {
namespace {

using waltool::Evidence;
using waltool::Fault;
using waltool::IndexRange;
using waltool::Judgement;

// Keys shown of what is lost.
constexpr std::size_t kMaxKeys = 64;

struct LostKey {
  raft::Index index;
  std::string key;
  std::string operation;
};

/// Keys of lost entries that still decode, though no CRC vouches for them.
std::vector<LostKey> lost_keys(const Evidence& evidence, const Judgement& judgement) {
  std::vector<LostKey> out;
  for (const Fault& fault : evidence.faults) {
    for (const waltool::Suspect& suspect : fault.suspects) {
      const bool lost = std::ranges::any_of(judgement.lost, [&](const IndexRange& range) {
        return suspect.index >= range.first && suspect.index <= range.last;
      });
      if (!lost) continue;
      const auto type =
          suspect.conf_change ? raft::EntryType::kConfChange : raft::EntryType::kNormal;
      const auto operation = waltool::decode_operation(type, suspect.data);
      for (const auto& touch : operation.touches) {
        if (out.size() < kMaxKeys)
          out.push_back(
              {suspect.index, std::string(touch.key), waltool::operation_name(touch.kind)});
      }
    }
  }
  return out;
}

const char* repair_name(waltool::RepairKind kind) {
  switch (kind) {
    case waltool::RepairKind::kNone:
      return "none";
    case waltool::RepairKind::kTrim:
      return "trim";
    case waltool::RepairKind::kRebuild:
      return "rebuild";
    case waltool::RepairKind::kRefused:
      break;
  }
  return "refused";
}

std::string range_text(const IndexRange& range) {
  return std::to_string(range.first.value()) + ".." + std::to_string(range.last.value());
}

std::string ranges_text(const std::vector<IndexRange>& ranges) {
  std::string out;
  for (const IndexRange& range : ranges) out += (out.empty() ? "" : ", ") + range_text(range);
  return out;
}

void write_range(tool::JsonWriter& json, const IndexRange& range) {
  json.begin_array().value(range.first.value()).value(range.last.value()).end_array();
}

void write_ranges(tool::JsonWriter& json, const char* key, const std::vector<IndexRange>& ranges) {
  json.key(key).begin_array();
  for (const IndexRange& range : ranges) write_range(json, range);
  json.end_array();
}

void write_lines(tool::JsonWriter& json, const char* key, const std::vector<std::string>& lines) {
  json.key(key).begin_array();
  for (const std::string& line : lines) json.value(line);
  json.end_array();
}

tool::Table fault_table(const Evidence& evidence) {
  tool::Table table({{"FAULT", "kind"},
                     {"SEGMENT", "segment"},
                     {"BEGIN", "begin"},
                     {"END", "end"},
                     {"RECORDS FOLLOW", "resumed"},
                     {"DETAIL", "detail"}});
  for (const Fault& fault : evidence.faults) {
    table.add({waltool::fault_name(fault.kind), evidence.segments[fault.segment].name.file_name(),
               fault.begin, fault.end, fault.resumed, fault.detail});
  }
  return table;
}

void write_json(std::ostream& out, const Evidence& evidence, const Judgement& judgement) {
  std::string text;
  tool::JsonWriter json(text);
  json.begin_object().field("verdict", waltool::verdict_name(judgement.verdict));
  if (!judgement.lost.empty()) {
    json.key("lost");
    write_range(json, {judgement.lost.front().first, judgement.lost.back().last});
    write_ranges(json, "lostRanges", judgement.lost);
  }
  write_ranges(json, "covered", judgement.covered);
  json.field("committed", judgement.committed.value()).field("committedBy", judgement.committed_by);
  json.field("needed", judgement.needed.value());
  json.field("lastIndex", evidence.entries.last().value());
  if (evidence.db) json.field("consistentIndex", evidence.db->consistent_index);
  json.key("faults");
  fault_table(evidence).write_json(json);
  json.key("lostKeys").begin_array();
  for (const LostKey& key : lost_keys(evidence, judgement)) {
    json.begin_object().field("index", key.index.value()).field("operation", key.operation);
    json.bytes("key", key.key).end_object();
  }
  json.end_array();
  write_lines(json, "why", judgement.why);
  write_lines(json, "cannotExclude", judgement.cannot_exclude);
  const auto& plan = judgement.repair;
  json.key("repair").begin_object().field("kind", repair_name(plan.kind));
  if (plan.kind == waltool::RepairKind::kTrim) json.field("offset", plan.trim_offset);
  if (plan.kind == waltool::RepairKind::kRebuild) {
    json.field("from", plan.base.index.value()).field("newSnapshot", plan.new_snapshot);
    write_ranges(json, "givenUp", plan.given_up);
  }
  json.field("lastIndex", plan.last.value()).end_object().end_object();
  out << text << "\n";
}

void write_text(std::ostream& out, const Evidence& evidence, const Judgement& judgement,
                tool::Format format) {
  out << waltool::verdict_name(judgement.verdict);
  if (!judgement.lost.empty())
    out << " " << range_text({judgement.lost.front().first, judgement.lost.back().last});
  out << "\n";
  if (evidence.faults.size() > 0) out << "\n" << fault_table(evidence).render(format);
  if (!judgement.why.empty()) out << "\n";
  for (const std::string& line : judgement.why) out << line << "\n";
  for (const LostKey& key : lost_keys(evidence, judgement))
    out << "entry " << key.index.value() << " seems to be: " << key.operation << " "
        << quoted(key.key) << "\n";
  if (!judgement.cannot_exclude.empty()) out << "\nCan't be excluded:\n";
  for (const std::string& line : judgement.cannot_exclude) out << "  " << line << "\n";
  if (judgement.verdict == waltool::Verdict::kClean) return;
  out << "\nrepair: " << repair_name(judgement.repair.kind);
  if (judgement.repair.kind == waltool::RepairKind::kTrim)
    out << " the last segment at offset " << judgement.repair.trim_offset;
  if (judgement.repair.kind == waltool::RepairKind::kRebuild) {
    out << " the log from entry " << judgement.repair.base.index.value() << " on, up to "
        << judgement.repair.last.value();
    if (!judgement.repair.given_up.empty())
      out << ", without " << ranges_text(judgement.repair.given_up);
  }
  out << "\n";
}

}  // namespace

void add_fsck(tool::Command& root, Tool& tool) {
  auto dir = std::make_shared<std::string>();
  auto& command = root.command("fsck", "judge the log: is anything committed lost?");
  command.argument("DIR", "data directory, member folder or folder of segments", dir.get(),
                   tool::Hint::kFolder);
  command
      .describe(
          "Reads on past damage, compares with the db's consistent index, the .snap files and "
          "every "
          "hard state, and prints one verdict. It rests on what the files show: a cut that leaves "
          "no trace is CLEAN up to where it cuts.")
      .exit_code(0, "CLEAN: no damage, nothing missing")
      .exit_code(10, "SAFE-TRIM: damaged, but nothing shown to be committed or synced is lost")
      .exit_code(11, "COVERED: committed entries are damaged, the db has them already")
      .exit_code(12, "LOST: committed or synced entries are gone")
      .exit_code(13, "UNKNOWN: the evidence does not decide")
      .example("Of a member that does not start:", "walctl fsck /var/lib/etcd/default")
      .example("The verdict for a script:", "walctl fsck -o json DIR | jq -r .verdict")
      .run([&tool, dir](tool::Console& console) {
        return tool.run(console, [&]() -> Result<int> {
          TRUSS_ASSIGN(const Evidence evidence, tool.gather(*dir, console));
          const Judgement judgement = waltool::judge(evidence);
          if (tool.format() == tool::Format::kJson) {
            write_json(console.out, evidence, judgement);
          } else {
            write_text(console.out, evidence, judgement, tool.format());
          }
          return waltool::verdict_exit_code(judgement.verdict);
        });
      });
}

}  // namespace truss::walctl
