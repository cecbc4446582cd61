#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/tool/json_writer.h"
#include "truss/tool/output.h"

namespace truss::tool {

/// A cell that is bytes: text shows the printable form, JSON base64 and the printable form.
struct Bytes {
  std::string value;
};
using Cell = std::variant<std::string, std::uint64_t, std::int64_t, double, bool, Bytes>;

/// As text shows it.
std::string cell_text(const Cell& cell);
/// As `"key":…`.
void write_cell(JsonWriter& json, ByteView key, const Cell& cell);

struct Column {
  std::string title;  ///< for text and table
  std::string key;    ///< for JSON, camelCase; stable
};

/// Rows of typed cells. As text: aligned columns without borders (numbers to the right); as table:
/// a box as etcdctl draws it; as JSON: a list of objects. *Thread:* one.
class Table {
 public:
  explicit Table(std::vector<Column> columns);
  /// One cell a column.
  void add(std::vector<Cell> row);
  std::size_t rows() const { return rows_.size(); }

  std::string text() const;
  std::string box() const;
  void write_json(JsonWriter& json) const;
  /// The one asked for, with a line end.
  std::string render(Format format) const;

 private:
  std::vector<std::vector<std::string>> texts() const;
  std::vector<std::size_t> widths(const std::vector<std::vector<std::string>>& texts) const;
  bool numeric(std::size_t column) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// Named values of one thing. As text: lines `title: value`; as table: a box of two columns; as
/// JSON: an object.
class Record {
 public:
  Record& add(std::string title, std::string key, Cell cell);

  std::string text() const;
  std::string box() const;
  /// The fields alone, inside an object that the caller opens and closes.
  void write_fields(JsonWriter& json) const;
  std::string render(Format format) const;

 private:
  struct Field {
    Column name;
    Cell cell;
  };
  std::vector<Field> fields_;
};

/// `1.5 GiB`; below 1024 `17 B`.
std::string human_bytes(std::uint64_t bytes);

}  // namespace truss::tool
