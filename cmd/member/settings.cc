#include "settings.h"

#include <algorithm>

#include "go_args.h"
#include "truss/api/urls.h"
#include "truss/common/check.h"

namespace truss::member {
namespace {

Result<> one_of(std::string_view text, std::span<const std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return {};
  return fail(Code::kInvalidArgument, "invalid value");
}

}  // namespace

Result<> Settings::check(const Flag& flag, std::string_view text) {
  const auto drop = [](const auto&) {};
  switch (flag.type) {
    case FlagType::kBool:
      return parse_go_bool(text).map(drop);
    case FlagType::kInt:
      return parse_go_int(text).map(drop);
    case FlagType::kUint:
      return parse_go_uint(text).map(drop);
    case FlagType::kDuration:
      return parse_go_duration(text).map(drop);
    case FlagType::kUrls:
    case FlagType::kUrlsOrStar:
      if (text == (flag.type == FlagType::kUrls ? "" : "*")) return {};
      return api::normalize_urls(split(text, ',')).map(drop);
    case FlagType::kNewOrExisting:
    case FlagType::kExitOrProxy:
    case FlagType::kOffReadonlyOn:
    case FlagType::kLogLevel:
      return one_of(text, choices_of(flag.type));
    case FlagType::kString:
    case FlagType::kList:
      break;
  }
  return {};
}

std::string Settings::text(std::string_view name, std::string_view old_name) const {
  auto it = given_.find(name);
  if (it == given_.end() && !old_name.empty()) it = given_.find(old_name);
  if (it != given_.end()) return it->second;
  const Flag* flag = find_flag(name);
  TRUSS_CHECK(flag != nullptr, name);
  return std::string(flag->default_value);
}

// Values were checked when they were set, and defaults are right: no error is left to handle.
bool Settings::flag(std::string_view name, std::string_view old_name) const {
  return parse_go_bool(text(name, old_name)).value_or(false);
}
std::int64_t Settings::integer(std::string_view name, std::string_view old_name) const {
  return parse_go_int(text(name, old_name)).value_or(0);
}
std::uint64_t Settings::number(std::string_view name, std::string_view old_name) const {
  return parse_go_uint(text(name, old_name)).value_or(0);
}
std::int64_t Settings::duration(std::string_view name, std::string_view old_name) const {
  return parse_go_duration(text(name, old_name)).value_or(0);
}
std::vector<std::string> Settings::list(std::string_view name) const {
  const std::string all = text(name);
  return all.empty() ? std::vector<std::string>{} : split(all, ',');
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const auto at = text.find(separator);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

}  // namespace truss::member
