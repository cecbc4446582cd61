#include "sim_names.h"
#include "truss/common/check.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/waltool/entries.h"
#include "truss/waltool/operation.h"
#include "truss/waltool/repair.h"

// Any bytes as the last segment of a log: looking changes nothing, the verdict is the same twice,
// and what may be repaired is CLEAN afterwards and holds every good entry up to what was proved
// committed.

using namespace truss;
using namespace truss::waltool;

namespace {

constexpr std::size_t kMaxInputBytes = 256 << 10;
const std::string kPath = "/w/0000000000000000-0000000000000000.wal";

void put(FileSystem& fs, ByteView bytes) {
  TRUSS_CHECK(remove_all(fs, "/w").has_value());
  TRUSS_CHECK(fs.make_dir("/w").has_value());
  const auto file = fs.open(kPath, {.write = true, .create = true}).value();
  TRUSS_CHECK(file->pwrite(bytes, 0).has_value());
}

void decode_all(FileSystem& fs, const DataDir& dir) {
  const auto visit = [](const LogEntry& entry) {
    static_cast<void>(decode_operation(entry.type, entry.data));
    return true;
  };
  TRUSS_CHECK(each_entry(fs, dir, visit).has_value());
}

/// What was good up to `through` is good still.
void check_kept(const Evidence& before, const Evidence& after, raft::Index through) {
  for (const auto& run : before.entries.runs()) {
    if (run.kind != EntryKind::kGood) continue;
    const raft::Index last = std::min(run.range.last, through);
    if (last < run.range.first) continue;
    for (const raft::Index end : {run.range.first, last}) {
      const auto* now = after.entries.find(end);
      TRUSS_CHECK(now != nullptr && now->kind == EntryKind::kGood && now->term == run.term,
                  "a repair dropped a committed entry");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static testing::SimFileSystem fs;
  static walctl_test::SimNames names(fs);
  static SystemProcess process;
  if (size > kMaxInputBytes) return 0;
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  put(fs, bytes);
  const DataDir dir{"/w", "", ""};
  const Evidence evidence = gather(fs, dir).value();
  const Judgement judgement = judge(evidence);
  TRUSS_CHECK(judge(gather(fs, dir).value()).verdict == judgement.verdict);
  decode_all(fs, dir);
  TRUSS_CHECK(read_file(fs, kPath).value() == bytes, "looking changed the log");

  const auto repaired = repair(fs, names, process, dir, evidence, judgement);
  if (judgement.repair.kind == RepairKind::kRefused) {
    TRUSS_CHECK(!repaired && read_file(fs, kPath).value() == bytes);
    return 0;
  }
  TRUSS_CHECK(repaired.has_value(), "an allowed repair failed");
  const Evidence after = gather(fs, dir).value();
  const Judgement verdict = judge(after);
  TRUSS_CHECK(verdict.verdict == Verdict::kClean, "a repaired log is not CLEAN");
  TRUSS_CHECK(verdict.committed >= judgement.committed, "a repair forgot what is committed");
  check_kept(evidence, after, judgement.committed);
  const auto left = fs.list("/").value();
  for (const std::string& name : left)
    if (name != "w") TRUSS_CHECK(remove_all(fs, "/" + name).has_value());
  return 0;
}
