#include <algorithm>

#include "truss/snap/snap_file.h"
#include "truss/snap/v2_store.h"
#include "truss/waltool/evidence.h"

namespace truss::waltool {
namespace {

constexpr std::uint64_t kMaxSnapBytes = 256 << 20;

Result<> read_into(FileSystem& fs, const std::string& path, SnapFacts& facts) {
  TRUSS_ASSIGN(const std::string bytes, read_file(fs, path, kMaxSnapBytes));
  TRUSS_ASSIGN(const raft::Snapshot snapshot, snap::decode_snap_file(bytes));
  const auto& metadata = snapshot.metadata;
  if (metadata.index != facts.mark.index || metadata.term != facts.mark.term)
    return fail(Code::kCorruption, "holds another index or term than its name says");
  facts.conf_state = metadata.conf_state;
  TRUSS_ASSIGN(const auto membership, snap::parse_v2_store(snapshot.data.view()));
  for (const auto& member : membership.members)
    facts.members[member.id.value()] = member.is_learner;
  return {};
}

}  // namespace

Result<std::vector<SnapFacts>> read_snaps(FileSystem& fs, const std::string& dir) {
  TRUSS_ASSIGN(const auto names, fs.list(dir));
  std::vector<SnapFacts> out;
  for (const std::string& name : names) {
    const auto mark = snap::parse_snap_file_name(name);
    if (!mark) continue;
    SnapFacts facts{.name = name, .mark = *mark};
    const auto read = read_into(fs, join_path(dir, name), facts);
    facts.readable = read.has_value();
    if (!read) facts.error = read.error().message;
    out.push_back(std::move(facts));
  }
  std::ranges::sort(out, [](const auto& a, const auto& b) { return a.mark > b.mark; });
  return out;
}

}  // namespace truss::waltool
