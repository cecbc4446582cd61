#include "truss/tool/report.h"

#include <algorithm>
#include <cstdio>

#include "truss/common/check.h"

namespace truss::tool {
namespace {

// Characters on a terminal: UTF-8 sequences count once.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void append_padded(std::string& out, const std::string& text, std::size_t width, bool right) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  out += right ? blanks + text : text + blanks;
}

void append_rule(std::string& out, const std::vector<std::size_t>& widths) {
  for (const std::size_t width : widths) out += "+" + std::string(width + 2, '-');
  out += "+\n";
}

std::string double_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

struct CellText {
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(double value) const { return double_text(value); }
  std::string operator()(const Bytes& bytes) const { return printable(bytes.value); }
  std::string operator()(auto number) const { return std::to_string(number); }
};

}  // namespace

std::string cell_text(const Cell& cell) { return std::visit(CellText(), cell); }

void write_cell(JsonWriter& json, ByteView key, const Cell& cell) {
  std::visit(
      [&](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Bytes>) {
          json.bytes(key, value.value);
        } else {
          json.field(key, value);
        }
      },
      cell);
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<Cell> row) {
  TRUSS_CHECK(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

bool Table::numeric(std::size_t column) const {
  return std::ranges::all_of(rows_, [&](const auto& row) {
    return std::holds_alternative<std::uint64_t>(row[column]) ||
           std::holds_alternative<std::int64_t>(row[column]) ||
           std::holds_alternative<double>(row[column]);
  });
}

std::vector<std::vector<std::string>> Table::texts() const {
  std::vector<std::vector<std::string>> out(1);
  for (const Column& column : columns_) out.front().push_back(column.title);
  for (const auto& row : rows_) {
    auto& line = out.emplace_back();
    for (const Cell& cell : row) line.push_back(cell_text(cell));
  }
  return out;
}

std::vector<std::size_t> Table::widths(const std::vector<std::vector<std::string>>& texts) const {
  std::vector<std::size_t> out(columns_.size());
  for (const auto& line : texts) {
    for (std::size_t i = 0; i < line.size(); ++i) out[i] = std::max(out[i], width_of(line[i]));
  }
  return out;
}

std::string Table::text() const {
  const auto lines = texts();
  const auto width = widths(lines);
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) out += "  ";
      append_padded(out, line[i], width[i], numeric(i));
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

std::string Table::box() const {
  const auto lines = texts();
  const auto width = widths(lines);
  std::string out;
  append_rule(out, width);
  for (std::size_t n = 0; n < lines.size(); ++n) {
    for (std::size_t i = 0; i < width.size(); ++i) {
      out += "| ";
      append_padded(out, lines[n][i], width[i], numeric(i));
      out += ' ';
    }
    out += "|\n";
    if (n == 0) append_rule(out, width);
  }
  append_rule(out, width);
  return out;
}

void Table::write_json(JsonWriter& json) const {
  json.begin_array();
  for (const auto& row : rows_) {
    json.begin_object();
    for (std::size_t i = 0; i < row.size(); ++i) write_cell(json, columns_[i].key, row[i]);
    json.end_object();
  }
  json.end_array();
}

std::string Table::render(Format format) const {
  if (format == Format::kText) return text();
  if (format == Format::kTable) return box();
  std::string out;
  JsonWriter json(out);
  write_json(json);
  return out + "\n";
}

Record& Record::add(std::string title, std::string key, Cell cell) {
  fields_.push_back({{std::move(title), std::move(key)}, std::move(cell)});
  return *this;
}

std::string Record::text() const {
  std::size_t width = 0;
  for (const Field& field : fields_) width = std::max(width, width_of(field.name.title));
  std::string out;
  for (const Field& field : fields_) {
    append_padded(out, field.name.title + ":", width + 2, false);
    out += cell_text(field.cell) + "\n";
  }
  return out;
}

std::string Record::box() const {
  Table table({{"FIELD", ""}, {"VALUE", ""}});
  for (const Field& field : fields_) table.add({field.name.title, cell_text(field.cell)});
  return table.box();
}

void Record::write_fields(JsonWriter& json) const {
  for (const Field& field : fields_) write_cell(json, field.name.key, field.cell);
}

std::string Record::render(Format format) const {
  if (format == Format::kText) return text();
  if (format == Format::kTable) return box();
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_fields(json);
  json.end_object();
  return out + "\n";
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace truss::tool
