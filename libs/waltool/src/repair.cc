#include "truss/waltool/repair.h"

#include <algorithm>

#include "truss/snap/snap_file.h"

namespace truss::waltool {
namespace {

using raft::Index;

std::string number(auto strong) { return std::to_string(strong.value()); }

/// Copies a file, its zeros as holes. *Durability:* the bytes, not the name.
Result<> copy_file(FileSystem& fs, const std::string& from, const std::string& to) {
  constexpr std::size_t kPiece = 1 << 20;
  TRUSS_ASSIGN(const auto in, fs.open(from, {}));
  TRUSS_ASSIGN(const auto out, fs.open(to, {.write = true, .create = true, .exclusive = true}));
  TRUSS_ASSIGN(const std::uint64_t size, in->size());
  TRUSS_TRY(out->truncate(size));
  std::string piece(kPiece, '\0');
  for (std::uint64_t at = 0; at < size;) {
    TRUSS_ASSIGN(const std::size_t got, in->pread(piece, at));
    if (got == 0) break;
    const ByteView bytes(piece.data(), got);
    if (bytes.find_first_not_of('\0') != ByteView::npos) TRUSS_TRY(out->pwrite(bytes, at));
    at += got;
  }
  return out->sync();
}

std::string broken_name(FileSystem& fs, const std::string& path) {
  std::string out = path + ".broken";
  for (int n = 1; exists(fs, out); ++n) out = path + ".broken." + std::to_string(n);
  return out;
}

Result<std::string> trim(FileSystem& fs, tool::Names& names, const DataDir& dir,
                         const Evidence& evidence, std::uint64_t offset) {
  const std::string path = evidence.segments.back().path;
  const std::string kept = broken_name(fs, path);
  TRUSS_TRY(copy_file(fs, path, kept));
  TRUSS_TRY(names.keep_owner(path, kept));
  TRUSS_TRY(fs.sync_dir(dir.wal));
  TRUSS_ASSIGN(const auto file, fs.open(path, {.write = true}));
  TRUSS_TRY(file->truncate(offset));
  TRUSS_TRY(file->sync());
  return kept;
}

raft::HardState state_of(const Evidence& evidence, const Judgement& judgement) {
  const RepairPlan& plan = judgement.repair;
  raft::HardState out = evidence.state;
  const auto* last = evidence.entries.find(plan.last);
  const raft::Term highest = std::max(last ? last->term : raft::Term(0), plan.base.term);
  if (highest > out.term) out = {highest, raft::kNoNode, out.commit};
  out.commit = std::clamp(std::max(out.commit, judgement.committed), plan.base.index,
                          std::max(plan.last, plan.base.index));
  return out;
}

Result<std::string> rebuild(FileSystem& fs, tool::Names& names, Process& process,
                            const DataDir& dir, const Evidence& evidence,
                            const Judgement& judgement) {
  const RepairPlan& plan = judgement.repair;
  std::optional<raft::ConfState> conf;
  for (const SnapFacts& snap : evidence.snaps)
    if (snap.readable && snap.mark == plan.base) conf = snap.conf_state;
  if (plan.new_snapshot) {
    TRUSS_ASSIGN(const auto membership, membership_from_db(fs, dir));
    TRUSS_ASSIGN(conf, save_snapshot(fs, names, dir, plan.base, membership));
  }
  TRUSS_ASSIGN(auto log, NewLog::create(fs, names, process, dir, *evidence.identity, plan.base,
                                        conf ? &*conf : nullptr));
  TRUSS_TRY(log.copy(evidence, plan.last, false));
  TRUSS_TRY(log.finish(state_of(evidence, judgement)));
  std::string kept = free_name(fs, dir.wal + ".broken");
  TRUSS_TRY(log.put_in_place(kept));
  return kept;
}

}  // namespace

std::vector<std::string> repair_steps(const DataDir& dir, const Evidence& evidence,
                                      const Judgement& judgement) {
  const RepairPlan& plan = judgement.repair;
  std::vector<std::string> out;
  switch (plan.kind) {
    case RepairKind::kNone:
      out.emplace_back("nothing to do");
      break;
    case RepairKind::kRefused:
      out.push_back("refused: the verdict is " + verdict_name(judgement.verdict));
      break;
    case RepairKind::kTrim:
      out.push_back("copy " + evidence.segments.back().path + " to a name ending in .broken");
      out.push_back("cut it at offset " + std::to_string(plan.trim_offset) + ", behind entry " +
                    number(plan.last));
      break;
    case RepairKind::kRebuild:
      if (plan.new_snapshot) {
        out.push_back("write " + join_path(dir.snap, snap::snap_file_name(plan.base)) +
                      " with the members that the db lists");
      }
      out.push_back("write a new log from entry " + number(plan.base.index) + " on, up to entry " +
                    number(std::max(plan.last, plan.base.index)));
      out.push_back("exchange it with " + dir.wal + ", which is kept as " + dir.wal + ".broken.N");
      break;
  }
  return out;
}

Result<std::vector<std::string>> repair(FileSystem& fs, tool::Names& names, Process& process,
                                        const DataDir& dir, const Evidence& evidence,
                                        const Judgement& judgement) {
  const RepairPlan& plan = judgement.repair;
  auto steps = repair_steps(dir, evidence, judgement);
  if (plan.kind == RepairKind::kNone) return steps;
  if (plan.kind == RepairKind::kRefused)
    return fail(Code::kFailedPrecondition, dir.wal + ": " + steps.front());
  TRUSS_ASSIGN(const LogLock lock, LogLock::take(fs, dir));
  std::string kept;
  if (plan.kind == RepairKind::kTrim) {
    TRUSS_ASSIGN(kept, trim(fs, names, dir, evidence, plan.trim_offset));
  } else {
    TRUSS_ASSIGN(kept, rebuild(fs, names, process, dir, evidence, judgement));
  }
  steps.push_back("kept: " + kept);
  return steps;
}

}  // namespace truss::waltool
