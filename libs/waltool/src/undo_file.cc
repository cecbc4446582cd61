#include "undo_file.h"

#include <charconv>
#include <cstdio>
#include <map>

#include "truss/common/base64.h"
#include "truss/common/crc32c.h"

namespace truss::waltool {
namespace {

constexpr ByteView kFirstLine = "truss-remember 1\n";

std::string hex(std::uint64_t value) {
  char text[17];
  const auto end = std::to_chars(text, text + 16, value, 16);
  return std::string(text, end.ptr);
}

std::string bytes(ByteView value) { return value.empty() ? "-" : base64_encode(value); }

Unexpected damaged(const std::string& what) {
  return fail(Code::kCorruption, "the undo file is damaged: " + what);
}

/// The words of one line.
class Words {
 public:
  explicit Words(ByteView line) : left_(line) {}

  ByteView next() {
    const std::size_t end = std::min(left_.find(' '), left_.size());
    const ByteView out = left_.substr(0, end);
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return out;
  }
  Result<std::uint64_t> number(int base) {
    const ByteView text = next();
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
      return damaged("no number: " + quoted(text.substr(0, 40)));
    return out;
  }
  Result<std::string> bytes() {
    const ByteView text = next();
    if (text == "-") return std::string();
    return base64_decode(text);
  }

 private:
  ByteView left_;
};

Result<wal::Identity> identity(Words& words) {
  wal::Identity out;
  TRUSS_ASSIGN(const std::uint64_t node, words.number(16));
  out.node_id = raft::NodeId(node);
  TRUSS_ASSIGN(out.cluster_id, words.number(16));
  return out;
}

Result<> pair(Words& words, DbMembers::Pairs& to) {
  TRUSS_ASSIGN(std::string key, words.bytes());
  TRUSS_ASSIGN(std::string value, words.bytes());
  to.emplace_back(std::move(key), std::move(value));
  return {};
}

Result<> take_line(ByteView line, UndoFile& out) {
  Words words(line);
  const ByteView word = words.next();
  if (word == "was") {
    TRUSS_ASSIGN(out.was, identity(words));
  } else if (word == "now") {
    TRUSS_ASSIGN(out.now, identity(words));
  } else if (word == "kept") {
    TRUSS_ASSIGN(out.kept, words.bytes());
  } else if (word == "base") {
    TRUSS_ASSIGN(const std::uint64_t index, words.number(10));
    TRUSS_ASSIGN(const std::uint64_t term, words.number(10));
    out.base = {raft::Index(index), raft::Term(term)};
  } else if (word == "replaced-snap") {
    out.replaced_snap = true;
  } else if (word == "end-crc") {
    TRUSS_ASSIGN(const std::uint64_t crc, words.number(16));
    out.end_crc = static_cast<std::uint32_t>(crc);
  } else if (word == "member") {
    TRUSS_TRY(pair(words, out.members.members));
  } else if (word == "removed") {
    TRUSS_TRY(pair(words, out.members.removed));
  } else if (word == "conf-state") {
    TRUSS_ASSIGN(out.members.conf_state, words.bytes());
  } else {
    return damaged("unknown line " + quoted(word.substr(0, 40)));
  }
  return {};
}

}  // namespace

std::string encode_undo(const UndoFile& undo) {
  std::string out(kFirstLine);
  const auto line = [&](const std::string& word, const std::string& rest) {
    out += word + " " + rest + "\n";
  };
  const auto who = [](const wal::Identity& id) {
    return hex(id.node_id.value()) + " " + hex(id.cluster_id);
  };
  line("was", who(undo.was));
  line("now", who(undo.now));
  line("kept", bytes(undo.kept));
  line("base",
       std::to_string(undo.base.index.value()) + " " + std::to_string(undo.base.term.value()));
  if (undo.replaced_snap) line("replaced-snap", "-");
  line("end-crc", hex(undo.end_crc));
  for (const auto& [key, value] : undo.members.members)
    line("member", bytes(key) + " " + bytes(value));
  for (const auto& [key, value] : undo.members.removed)
    line("removed", bytes(key) + " " + bytes(value));
  if (undo.members.conf_state) line("conf-state", bytes(*undo.members.conf_state));
  return out + "crc " + hex(crc32c(out)) + "\n";
}

Result<UndoFile> decode_undo(ByteView text) {
  if (!text.starts_with(kFirstLine)) return damaged("it does not begin as one");
  const std::size_t last = text.rfind("\ncrc ");
  if (last == ByteView::npos) return damaged("it is cut short");
  const ByteView checked = text.substr(0, last + 1);
  if (text.substr(last + 1) != "crc " + hex(crc32c(checked)) + "\n")
    return damaged("its bytes don't fit its CRC");
  UndoFile out;
  for (std::size_t at = kFirstLine.size(); at < checked.size();) {
    const std::size_t end = checked.find('\n', at);
    TRUSS_TRY(take_line(checked.substr(at, end - at), out));
    at = end + 1;
  }
  if (out.kept.empty() || out.kept.find('/') != std::string::npos)
    return damaged("it names no folder of the old log");
  return out;
}

}  // namespace truss::waltool
