#include <algorithm>
#include <memory>
#include <ostream>

#include "entry_output.h"
#include "tool.h"
#include "truss/snap/snap_file.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"
#include "truss/waltool/entries.h"
#include "truss/waltool/scan.h"

namespace truss::walctl {
namespace {

using waltool::LogEntry;
using waltool::OperationKind;

struct DumpOptions {
  std::string dir;
  std::string start_snap;
  std::optional<std::uint64_t> start_index;
  std::optional<std::uint64_t> end_index;
  std::string entry_types = "Normal,ConfigChange";
  std::string decoder;
  bool raw = false;
};

/// The words of --entry-type, as etcd-dump-logs has them.
bool wanted_by(std::string_view word, const LogEntry& entry, OperationKind kind) {
  const bool conf = entry.type != raft::EntryType::kNormal;
  if (word == "ConfigChange") return conf;
  if (conf) return false;
  if (word == "Normal") return true;
  const bool request = kind == OperationKind::kRequest;
  if (word == "Request") return request;
  if (word == "InternalRaftRequest") return !request && kind != OperationKind::kEmpty;
  if (word == "IRRRange") return kind == OperationKind::kRange;
  if (word == "IRRPut") return kind == OperationKind::kPut;
  if (word == "IRRDeleteRange") return kind == OperationKind::kDeleteRange;
  if (word == "IRRTxn") return kind == OperationKind::kTxn;
  if (word == "IRRCompaction") return kind == OperationKind::kCompaction;
  if (word == "IRRLeaseGrant") return kind == OperationKind::kLeaseGrant;
  if (word == "IRRLeaseRevoke") return kind == OperationKind::kLeaseRevoke;
  return word == "IRRLeaseCheckpoint" && kind == OperationKind::kLeaseCheckpoint;
}

constexpr const char* kEntryTypes[] = {
    "Normal",        "ConfigChange",  "Request",        "InternalRaftRequest",
    "IRRRange",      "IRRPut",        "IRRDeleteRange", "IRRTxn",
    "IRRCompaction", "IRRLeaseGrant", "IRRLeaseRevoke", "IRRLeaseCheckpoint"};

Result<std::vector<std::string>> parse_types(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, end - at));
    if (std::ranges::find(kEntryTypes, out.back()) == std::end(kEntryTypes))
      return fail(Code::kInvalidArgument, "--entry-type: no such type: " + out.back());
    at = end + 1;
  }
  return out;
}

Result<std::uint64_t> first_index(const DumpOptions& options) {
  if (options.start_snap.empty()) return options.start_index.value_or(0);
  if (options.start_index)
    return fail(Code::kInvalidArgument, "--start-snap and --start-index exclude each other");
  const std::string name =
      options.start_snap + (options.start_snap.ends_with(".snap") ? "" : ".snap");
  const auto mark = snap::parse_snap_file_name(name);
  if (!mark) return fail(Code::kInvalidArgument, "--start-snap: no snapshot's name: " + name);
  return mark->index.value() + 1;
}

Result<int> dump(Tool& tool, const DumpOptions& options, tool::Console& console) {
  TRUSS_ASSIGN(const auto types, parse_types(options.entry_types));
  TRUSS_ASSIGN(const std::uint64_t first, first_index(options));
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  std::unique_ptr<StreamDecoder> decoder;
  if (!options.decoder.empty()) {
    TRUSS_ASSIGN(decoder, StreamDecoder::start(options.decoder));
  }
  EntryOutput output(tool.format(), console.out, false, decoder != nullptr);
  Result<> decoded_all;
  TRUSS_TRY(waltool::each_entry(tool.files, where, [&](const LogEntry& entry) {
    if (entry.index.value() < first) return true;
    if (options.end_index && entry.index.value() >= *options.end_index) return false;
    const auto operation = waltool::decode_operation(entry.type, entry.data);
    const bool wanted = std::ranges::any_of(
        types, [&](const std::string& word) { return wanted_by(word, entry, operation.kind); });
    if (!wanted) return true;
    if (!decoder) return output.add(entry, operation), true;
    const auto decoded = decoder->decode(entry.data);
    if (!decoded) return decoded_all = Unexpected(decoded.error()), false;
    return output.add(entry, operation, &*decoded), true;
  }));
  output.finish();
  TRUSS_TRY(decoded_all);
  return tool::kFine;
}

/// Every record as it lies in the files, damaged places among them.
Result<int> dump_raw(Tool& tool, const DumpOptions& options, tool::Console& console) {
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  TRUSS_ASSIGN(const auto names, waltool::segments_of(tool.files, where.wal));
  tool::Table table({{"SEGMENT", "segment"},
                     {"OFFSET", "offset"},
                     {"TYPE", "type"},
                     {"CRC", "crc"},
                     {"DATA", "data"}});
  const auto add = [&](const waltool::ScannedRecord& r) {
    char crc[9];
    std::snprintf(crc, sizeof crc, "%08x", r.record.crc);
    table.add({names[r.segment].file_name(), r.offset, wal::type_name(r.record.type),
               std::string(crc), tool::Bytes{std::string(r.record.data)}});
  };
  const auto fault = [&](const waltool::Fault& f) {
    table.add({names[f.segment].file_name(), f.begin, waltool::fault_name(f.kind), std::string(),
               tool::Bytes{f.detail}});
  };
  TRUSS_TRY(waltool::scan(tool.files, where.wal, names, {add, fault, {}}));
  console.out << table.render(tool.format());
  return tool::kFine;
}

}  // namespace

void add_dump(tool::Command& root, Tool& tool) {
  auto options = std::make_shared<DumpOptions>();
  root.command("dump", "print the entries, each decoded to its operation")
      .argument("DIR", "data directory, member folder or folder of segments", &options->dir,
                tool::Hint::kFolder)
      .option("--start-snap", "NAME", "begin behind this .snap file's index", &options->start_snap)
      .option("--start-index", "N", "begin with this entry", &options->start_index)
      .option("--end-index", "N", "end before this entry", &options->end_index)
      .option("--entry-type", "LIST",
              "types, separated by commas: Normal, ConfigChange, Request, InternalRaftRequest, "
              "IRRRange, IRRPut, IRRDeleteRange, IRRTxn, IRRCompaction, IRRLeaseGrant, "
              "IRRLeaseRevoke, IRRLeaseCheckpoint",
              &options->entry_types)
      .option("--stream-decoder", "PROGRAM",
              "a program that reads each entry as a line of hex and answers STATUS|DATA",
              &options->decoder)
      .flag("--raw", "print records as they lie in the files, with damaged places", &options->raw)
      .example("Everything, as JSON lines:", "walctl dump -o json /var/lib/etcd/default")
      .example("Membership changes only:",
               "walctl dump --entry-type ConfigChange /var/lib/etcd/default")
      .run([&tool, options](tool::Console& console) {
        return tool.run(console, [&] {
          return options->raw ? dump_raw(tool, *options, console) : dump(tool, *options, console);
        });
      });
}

}  // namespace truss::walctl
