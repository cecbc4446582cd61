#include "entry_output.h"

#include <ostream>

#include "tool.h"

namespace truss::walctl {
namespace {

constexpr std::size_t kHeldBytes = 64 << 10;

void write_json(std::string& out, const waltool::LogEntry& entry, const waltool::Operation& op,
                bool live, const Decoded* decoded) {
  tool::JsonWriter json(out);
  json.begin_object().field("term", entry.term.value()).field("index", entry.index.value());
  json.field("type", entry.type == raft::EntryType::kNormal ? "norm" : "conf");
  if (!live) json.field("committed", entry.committed);
  json.field("operation", op.name);
  if (op.id != 0) json.field("id", op.id);
  if (!op.user.empty()) json.field("user", op.user);
  json.field("text", op.text).field("bytes", entry.data.size());
  if (!op.touches.empty()) json.key("keys").begin_array();
  for (const waltool::Touch& touch : op.touches) {
    json.begin_object().field("operation", waltool::operation_name(touch.kind));
    json.bytes("key", touch.key);
    if (!touch.range_end.empty()) json.bytes("rangeEnd", touch.range_end);
    if (touch.kind == waltool::OperationKind::kPut) json.bytes("value", touch.value);
    if (touch.lease != 0) json.field("lease", touch.lease);
    json.end_object();
  }
  if (!op.touches.empty()) json.end_array();
  if (decoded) json.field("decoderStatus", decoded->status).field("decodedData", decoded->data);
  json.end_object();
  out += '\n';
}

std::vector<tool::Column> columns(bool decoded) {
  std::vector<tool::Column> out = {{"TERM", "term"},
                                   {"INDEX", "index"},
                                   {"TYPE", "type"},
                                   {"COMMITTED", "committed"},
                                   {"OPERATION", "text"}};
  if (!decoded) return out;
  out.push_back({"DECODER STATUS", "decoderStatus"});
  out.push_back({"DECODED DATA", "decodedData"});
  return out;
}

}  // namespace

EntryOutput::EntryOutput(tool::Format format, std::ostream& out, bool live, bool decoded)
    : format_(format), out_(out), live_(live), table_(columns(decoded)) {}

void EntryOutput::add(const waltool::LogEntry& entry, const waltool::Operation& op,
                      const Decoded* decoded) {
  const char* type = entry.type == raft::EntryType::kNormal ? "norm" : "conf";
  if (format_ == tool::Format::kJson) {
    write_json(held_, entry, op, live_, decoded);
  } else if (format_ == tool::Format::kTable) {
    std::vector<tool::Cell> row = {entry.term.value(), entry.index.value(), std::string(type),
                                   entry.committed, op.text};
    if (decoded) row.insert(row.end(), {decoded->status, decoded->data});
    table_.add(std::move(row));
  } else {
    held_ += std::to_string(entry.term.value()) + "\t" + std::to_string(entry.index.value()) +
             "\t" + type + "\t" + op.text + (entry.committed || live_ ? "" : "\t(not committed)");
    if (decoded) held_ += "\t" + decoded->status + "\t" + decoded->data;
    held_ += "\n";
  }
  if (held_.size() >= kHeldBytes) flush();
}

void EntryOutput::flush() {
  out_ << held_;
  out_.flush();
  held_.clear();
}

void EntryOutput::finish() {
  flush();
  if (format_ == tool::Format::kTable) out_ << table_.box();
}

}  // namespace truss::walctl
