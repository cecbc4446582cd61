#include "truss/snap/snap_file.h"

#include <cstdio>

#include "hex_name.h"
#include "truss/common/coding.h"
#include "truss/common/crc32c.h"
#include "truss/raft/codec.h"

namespace truss::snap {
namespace {

constexpr ByteView kSnapSuffix = ".snap";
constexpr ByteView kDbSuffix = ".snap.db";
constexpr std::size_t kDigits = 16;

std::string format_hex(const char* format, std::uint64_t value) {
  char text[kDigits + 1];
  std::snprintf(text, sizeof text, format, static_cast<unsigned long long>(value));
  return text;
}

Unexpected bad(const std::string& what) { return fail(Code::kCorruption, "snap file: " + what); }

}  // namespace

std::string hex16(std::uint64_t value) { return format_hex("%016llx", value); }
std::string hex(std::uint64_t value) { return format_hex("%llx", value); }

std::optional<std::uint64_t> parse_hex(ByteView text) {
  if (text.empty() || text.size() > kDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

std::string snap_file_name(raft::SnapshotMark mark) {
  return hex16(mark.term.value()) + '-' + hex16(mark.index.value()) + std::string(kSnapSuffix);
}

std::optional<raft::SnapshotMark> parse_snap_file_name(ByteView name) {
  if (name.size() != 2 * kDigits + 1 + kSnapSuffix.size() || !name.ends_with(kSnapSuffix) ||
      name[kDigits] != '-') {
    return std::nullopt;
  }
  const auto term = parse_hex(name.substr(0, kDigits));
  const auto index = parse_hex(name.substr(kDigits + 1, kDigits));
  if (!term || !index) return std::nullopt;
  return raft::SnapshotMark{.index = raft::Index(*index), .term = raft::Term(*term)};
}

std::string snap_db_file_name(raft::Index index) {
  return hex16(index.value()) + std::string(kDbSuffix);
}

std::optional<raft::Index> parse_snap_db_file_name(ByteView name) {
  if (name.size() != kDigits + kDbSuffix.size() || !name.ends_with(kDbSuffix)) return std::nullopt;
  const auto index = parse_hex(name.substr(0, kDigits));
  if (!index) return std::nullopt;
  return raft::Index(*index);
}

std::string encode_snap_file(const raft::Snapshot& snapshot) {
  const std::string data = raft::encoded(snapshot);
  std::string out;
  PbWriter w(out);
  w.put_varint(1, crc32c(data));
  w.put_bytes(2, data);
  return out;
}

Result<raft::Snapshot> decode_snap_file(ByteView bytes) {
  if (bytes.empty()) return bad("empty file");
  std::uint32_t crc = 0;
  ByteView data;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) crc = static_cast<std::uint32_t>(in.varint());
    if (in.field() == 2) data = in.bytes();
  }
  if (!in.ok()) return bad("malformed envelope");
  if (data.empty() || crc == 0) return bad("no data or no crc");
  if (const std::uint32_t own = crc32c(data); own != crc) {
    return bad("crc mismatch (stored " + hex(crc) + ", computed " + hex(own) + ")");
  }
  return raft::decode_snapshot(data);
}

}  // namespace truss::snap
