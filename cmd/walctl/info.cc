#include <memory>
#include <ostream>

#include "tool.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"
#include "truss/waltool/judge.h"

namespace truss::walctl {
namespace {

using waltool::Evidence;

std::string hex32(std::uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

tool::Record summary(const Evidence& e) {
  tool::Record out;
  if (e.identity) {
    out.add("member", "memberId", hex_id(e.identity->node_id.value()));
    out.add("cluster", "clusterId", hex_id(e.identity->cluster_id));
  }
  out.add("term", "term", e.last_state.term.value());
  out.add("vote", "vote", hex_id(e.last_state.vote.value()));
  out.add("commit", "commit", e.last_state.commit.value());
  out.add("first entry", "firstIndex", e.entries.first().value());
  out.add("last entry", "lastIndex", e.entries.last().value());
  const auto* last = e.entries.find(e.entries.last());
  out.add("last entry's term", "lastTerm", last ? last->term.value() : 0);
  out.add("entry records", "entryRecords", e.entry_records);
  out.add("entry bytes", "entryBytes", e.entry_bytes);
  out.add("segment bytes", "segmentBytes", e.bytes());
  out.add("faults", "faults", std::uint64_t{e.faults.size()});
  return out;
}

tool::Table segments(const Evidence& e) {
  tool::Table table({{"SEGMENT", "name"},
                     {"BYTES", "fileBytes"},
                     {"USED", "usedBytes"},
                     {"RECORDS", "records"},
                     {"FIRST", "firstIndex"},
                     {"LAST", "lastIndex"},
                     {"CRC AT END", "crcAtEnd"}});
  for (const waltool::SegmentFacts& s : e.segments) {
    table.add({s.name.file_name(), s.file_bytes, s.used_bytes, s.records, s.first_entry.value(),
               s.last_entry.value(), hex32(s.end_crc)});
  }
  return table;
}

tool::Table snapshots(const Evidence& e) {
  tool::Table table({{"SNAPSHOT", "index"}, {"TERM", "term"}});
  for (const auto& mark : e.marks) table.add({mark.index.value(), mark.term.value()});
  return table;
}

tool::Table snap_files(const Evidence& e) {
  tool::Table table({{"FILE", "name"},
                     {"INDEX", "index"},
                     {"TERM", "term"},
                     {"MEMBERS", "members"},
                     {"STATE", "state"}});
  for (const auto& snap : e.snaps) {
    table.add({snap.name, snap.mark.index.value(), snap.mark.term.value(),
               std::uint64_t{snap.members.size()}, snap.readable ? "readable" : snap.error});
  }
  return table;
}

tool::Record database(const Evidence& e) {
  tool::Record out;
  if (!e.db) return out.add("error", "error", e.db_error);
  out.add("consistent index", "consistentIndex", e.db->consistent_index);
  out.add("revision", "revision", e.db->revision);
  out.add("compacted revision", "compactRevision", e.db->compacted);
  out.add("members", "members", std::uint64_t{e.db->members.size()});
  out.add("cluster version", "clusterVersion", e.db->cluster_version);
  if (!e.db->storage_version.empty())
    out.add("storage version", "storageVersion", e.db->storage_version);
  return out;
}

void print_json(std::ostream& out, const Evidence& e) {
  std::string text;
  tool::JsonWriter json(text);
  json.begin_object();
  summary(e).write_fields(json);
  json.key("confChangeIndexes").begin_array();
  for (const auto& change : e.conf_changes) json.value(change.index.value());
  json.end_array().key("segments");
  segments(e).write_json(json);
  json.key("snapshotRecords");
  snapshots(e).write_json(json);
  json.key("snapFiles");
  snap_files(e).write_json(json);
  if (e.has_db) {
    json.key("db").begin_object();
    database(e).write_fields(json);
    json.end_object();
  }
  json.end_object();
  out << text << "\n";
}

void print_text(std::ostream& out, const Evidence& e, tool::Format format) {
  out << summary(e).render(format) << "\n" << segments(e).render(format);
  if (!e.marks.empty()) out << "\n" << snapshots(e).render(format);
  if (!e.snaps.empty()) out << "\n" << snap_files(e).render(format);
  if (e.has_db) out << "\ndb\n" << database(e).render(format);
}

Result<int> info(Tool& tool, const std::string& dir, tool::Console& console) {
  TRUSS_ASSIGN(const Evidence evidence, tool.gather(dir, console));
  if (tool.format() == tool::Format::kJson) {
    print_json(console.out, evidence);
  } else {
    print_text(console.out, evidence, tool.format());
  }
  return tool::kFine;
}

/// As etcd's readers see the log: good up to its end, a torn tail allowed.
Result<int> verify(Tool& tool, const std::string& dir, tool::Console& console) {
  TRUSS_ASSIGN(const Evidence e, tool.gather(dir, console));
  std::uint64_t records = 0;
  for (const auto& segment : e.segments) records += segment.records;
  tool::Record out;
  out.add("sound", "sound", e.faults.empty()).add("records", "records", records);
  out.add("term", "term", e.last_state.term.value())
      .add("vote", "vote", hex_id(e.last_state.vote.value()))
      .add("commit", "commit", e.last_state.commit.value());
  out.add("faults", "faults", std::uint64_t{e.faults.size()});
  if (!e.faults.empty()) {
    const waltool::Fault& fault = e.faults.front();
    out.add("first fault", "firstFault", waltool::fault_name(fault.kind));
    out.add("segment", "segment", e.segments[fault.segment].name.file_name());
    out.add("offset", "offset", fault.begin).add("detail", "detail", fault.detail);
  }
  console.out << out.render(tool.format());
  return e.faults.empty() ? tool::kFine : tool::kFoundWrong;
}

}  // namespace

void add_info(tool::Command& root, Tool& tool) {
  auto dir = std::make_shared<std::string>();
  root.command("info", "show segments, their entries, identity, last state, snapshots, db")
      .argument("DIR", "data directory, member folder or folder of segments", dir.get(),
                tool::Hint::kFolder)
      .example("What a member holds:", "walctl info /var/lib/etcd/default")
      .run([&tool, dir](tool::Console& console) {
        return tool.run(console, [&] { return info(tool, *dir, console); });
      });
  auto where = std::make_shared<std::string>();
  root.command("verify", "check every record of the log; exit code 1 if one is damaged")
      .argument("DIR", "data directory, member folder or folder of segments", where.get(),
                tool::Hint::kFolder)
      .example("In a script:",
               "walctl verify /var/lib/etcd/default || walctl fsck /var/lib/etcd/default")
      .run([&tool, where](tool::Console& console) {
        return tool.run(console, [&] { return verify(tool, *where, console); });
      });
}

}  // namespace truss::walctl
