#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flag_table.h"
#include "truss/common/error.h"

namespace truss::member {

/// How the program should end instead of starting a member.
struct Exit {
  int code = 0;
  std::string out;  ///< for stdout
  std::string err;  ///< for stderr
};

/// Something to log once the logger is up.
struct Warning {
  std::string message;
  std::string key;
  std::string value;
};

/// The text of every flag that was given, wherever it came from, checked against its type.
class Settings {
 public:
  /// Errors: kInvalidArgument with Go's words, without naming the flag: `parse error`.
  static Result<> check(const Flag& flag, std::string_view text);
  void set(std::string_view name, std::string text) { given_[std::string(name)] = std::move(text); }

  bool given(std::string_view name) const { return given_.find(name) != given_.end(); }
  const std::map<std::string, std::string, std::less<>>& all() const { return given_; }

  /// The given text, or the default. Each takes a name of the table, and optionally the name it had
  /// as an experimental flag, used if only that was given.
  std::string text(std::string_view name, std::string_view old_name = {}) const;
  bool flag(std::string_view name, std::string_view old_name = {}) const;
  std::int64_t integer(std::string_view name, std::string_view old_name = {}) const;
  std::uint64_t number(std::string_view name, std::string_view old_name = {}) const;
  /// Nanoseconds.
  std::int64_t duration(std::string_view name, std::string_view old_name = {}) const;
  /// Comma-separated; empty text is an empty list.
  std::vector<std::string> list(std::string_view name) const;

  std::vector<Warning> warnings;

 private:
  std::map<std::string, std::string, std::less<>> given_;
};

std::vector<std::string> split(std::string_view text, char separator);

}  // namespace truss::member
