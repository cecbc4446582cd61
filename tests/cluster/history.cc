#include "history.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>

#include "truss/common/bytes.h"

namespace truss::cluster {
namespace {

constexpr std::array<const char*, 4> kKinds = {"put", "get", "remove", "swap"};
constexpr std::array<const char*, 2> kOutcomes = {"ok", "unknown"};
constexpr std::size_t kFields = 12;

std::string encode(const std::optional<std::string>& value) {
  return value ? "=" + to_hex(*value) : "-";
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Takes the fields of a line one after the other; `good` turns false at the first bad one.
class Fields {
 public:
  explicit Fields(const std::string& line) {
    for (std::size_t from = 0; from <= line.size();) {
      const std::size_t tab = std::min(line.find('\t', from), line.size());
      fields_.push_back(line.substr(from, tab - from));
      from = tab + 1;
    }
    good_ = fields_.size() == kFields;
    fields_.resize(kFields);
  }

  bool good() const { return good_; }
  std::string text() { return fields_[next_++]; }

  std::int64_t number() {
    const std::string field = text();
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), out);
    good_ = good_ && error == std::errc() && end == field.data() + field.size();
    return out;
  }

  template <std::size_t size>
  std::size_t one_of(const std::array<const char*, size>& names) {
    const std::string field = text();
    for (std::size_t i = 0; i < size; ++i) {
      if (field == names[i]) return i;
    }
    good_ = false;
    return 0;
  }

  std::optional<std::string> value() {
    const std::string field = text();
    if (field == "-") return std::nullopt;
    good_ = good_ && field.size() % 2 == 1 && field.front() == '=';
    std::string out;
    for (std::size_t i = 1; good_ && i < field.size(); i += 2) {
      const int high = hex_digit(field[i]);
      const int low = hex_digit(field[i + 1]);
      good_ = high >= 0 && low >= 0;
      out += static_cast<char>(high * 16 + low);
    }
    return out;
  }

 private:
  std::vector<std::string> fields_;
  std::size_t next_ = 0;
  bool good_ = true;
};

std::string milliseconds(std::int64_t ns) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3fms", static_cast<double>(ns) / 1e6);
  return text.data();
}

std::string name_of(const std::optional<std::string>& value) { return value ? *value : "absent"; }

}  // namespace

std::string to_line(const Operation& op) {
  std::string out;
  const auto add = [&out](const std::string& field) { out += (out.empty() ? "" : "\t") + field; };
  add(std::to_string(op.client));
  add(kKinds[static_cast<std::size_t>(op.kind)]);
  add(kOutcomes[static_cast<std::size_t>(op.outcome)]);
  add(op.via);
  add(std::to_string(op.start_ns));
  add(std::to_string(op.end_ns));
  add(encode(op.key));
  add(encode(op.argument));
  add(encode(op.expected));
  add(encode(op.read));
  add(op.applied ? "1" : "0");
  add(std::to_string(op.revision));
  return out;
}

Result<Operation> parse_line(const std::string& line) {
  Fields in(line);
  Operation op;
  op.client = static_cast<int>(in.number());
  op.kind = static_cast<Kind>(in.one_of(kKinds));
  op.outcome = static_cast<Outcome>(in.one_of(kOutcomes));
  op.via = in.text();
  op.start_ns = in.number();
  op.end_ns = in.number();
  op.key = in.value().value_or("");
  op.argument = in.value().value_or("");
  op.expected = in.value();
  op.read = in.value();
  op.applied = in.number() != 0;
  op.revision = in.number();
  if (!in.good()) return fail(Code::kCorruption, "not an operation: " + line);
  return op;
}

Result<void> save_history(const History& history, const std::string& path) {
  std::ofstream out(path);
  for (const Operation& op : history) out << to_line(op) << '\n';
  out.flush();
  if (!out) return fail(Code::kInternal, path + ": can't write the history");
  return {};
}

Result<History> load_history(const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(Code::kNotFound, path + ": can't open the history");
  History history;
  for (std::string line; std::getline(in, line);) {
    TRUSS_ASSIGN(Operation op, parse_line(line));
    history.push_back(std::move(op));
  }
  return history;
}

std::string describe(const Operation& op, std::int64_t zero_ns) {
  std::string out = "client " + std::to_string(op.client) + " " +
                    kKinds[static_cast<std::size_t>(op.kind)] + " " + op.key;
  if (op.kind == Kind::kPut) out += "=" + op.argument;
  if (op.kind == Kind::kSwap) out += " from " + name_of(op.expected) + " to " + op.argument;
  if (op.outcome == Outcome::kUnknown) {
    out += ": no verdict";
  } else if (op.kind == Kind::kRemove || op.kind == Kind::kSwap) {
    out += op.applied ? ": done" : ": not done";
  }
  const bool reads = op.kind == Kind::kGet || (op.kind == Kind::kSwap && !op.applied);
  if (op.outcome == Outcome::kOk && reads) out += ": read " + name_of(op.read);
  if (op.revision > 0) out += " at " + std::to_string(op.revision);
  return out + " via " + op.via + " [" + milliseconds(op.start_ns - zero_ns) + ", " +
         milliseconds(op.end_ns - zero_ns) + "]";
}

}  // namespace truss::cluster
