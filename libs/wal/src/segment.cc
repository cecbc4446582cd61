#include "truss/wal/segment.h"

#include <algorithm>
#include <cstdio>

namespace truss::wal {
namespace {

constexpr std::size_t kHexDigits = 16;
constexpr ByteView kSuffix = ".wal";

std::optional<std::uint64_t> parse_hex16(ByteView text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

}  // namespace

std::string SegmentName::file_name() const {
  char text[2 * kHexDigits + 6];
  std::snprintf(text, sizeof text, "%016llx-%016llx.wal", static_cast<unsigned long long>(sequence),
                static_cast<unsigned long long>(first_index.value()));
  return text;
}

std::optional<SegmentName> parse_segment_name(ByteView file_name) {
  if (file_name.size() != 2 * kHexDigits + 1 + kSuffix.size()) return std::nullopt;
  if (!file_name.ends_with(kSuffix) || file_name[kHexDigits] != '-') return std::nullopt;
  const auto sequence = parse_hex16(file_name.substr(0, kHexDigits));
  const auto index = parse_hex16(file_name.substr(kHexDigits + 1, kHexDigits));
  if (!sequence || !index) return std::nullopt;
  return SegmentName{*sequence, raft::Index(*index)};
}

Result<std::vector<SegmentName>> list_segments(FileSystem& fs, const std::string& dir) {
  TRUSS_ASSIGN(const auto files, fs.list(dir));
  std::vector<SegmentName> names;
  for (const std::string& file : files) {
    if (const auto name = parse_segment_name(file)) names.push_back(*name);
  }
  if (names.empty()) return fail(Code::kNotFound, "wal " + dir + ": holds no segment file");
  std::sort(names.begin(), names.end(), [](const SegmentName& a, const SegmentName& b) {
    return a.sequence != b.sequence ? a.sequence < b.sequence : a.first_index < b.first_index;
  });
  return names;
}

Result<std::vector<SegmentName>> select_segments(const std::string& dir,
                                                 std::vector<SegmentName> all, raft::Index from) {
  auto first = std::find_if(all.rbegin(), all.rend(),
                            [&](const SegmentName& name) { return name.first_index <= from; });
  if (first == all.rend()) {
    return fail(Code::kNotFound, "wal " + dir + ": no segment reaches back to index " +
                                     std::to_string(from.value()) + " (the oldest is " +
                                     all.front().file_name() + ")");
  }
  all.erase(all.begin(), std::prev(first.base()));
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::uint64_t previous = all[i - 1].sequence;
    if (previous == 0 || all[i].sequence == previous + 1) continue;
    return fail(Code::kCorruption, "wal " + dir + ": segment " + std::to_string(previous + 1) +
                                       " is missing before " + all[i].file_name() +
                                       "; put the file back, or restore this member");
  }
  return all;
}

bool has_wal(FileSystem& fs, const std::string& dir) {
  const auto files = fs.list(dir);
  return files && std::any_of(files->begin(), files->end(), [](const std::string& name) {
           return ByteView(name).ends_with(kSuffix);
         });
}

}  // namespace truss::wal
