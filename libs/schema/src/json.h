#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::schema {

/// One parsed JSON object, read field by field. An absent or null field gives the zero value, one
/// of the wrong type kCorruption naming object and field.
class JsonObject {
 public:
  static Result<JsonObject> parse(ByteView json, std::string what);
  JsonObject(JsonObject&&) noexcept;
  ~JsonObject();

  Result<std::uint64_t> number(const char* field) const;
  Result<bool> flag(const char* field) const;
  Result<std::string> text(const char* field) const;
  Result<std::vector<std::string>> texts(const char* field) const;
  Result<std::vector<std::uint64_t>> ids(const char* field) const;

 private:
  struct Impl;
  JsonObject(std::unique_ptr<Impl> impl, std::string what);
  Unexpected wrong(const char* field, const char* want) const;
  std::unique_ptr<Impl> impl_;
  std::string what_;
};

/// Appends `"name":[1,2],` unless empty.
void append_id_list(std::string& out, const char* name, const std::vector<std::uint64_t>& ids);
/// Appends `["a","b"]`, or `null` for an empty list, as Go does for a nil slice.
void append_text_list(std::string& out, const std::vector<std::string>& texts);

}  // namespace truss::schema
