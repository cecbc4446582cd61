#include "header_rules.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <span>

namespace truss::net {
namespace {

constexpr std::array<std::string_view, 4> kRequestFields = {":method", ":path", ":scheme",
                                                            ":authority"};
constexpr std::array<std::string_view, 1> kResponseFields = {":status"};

const std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace

void HeaderRules::begin(Block block) {
  block_ = block;
  seen_ = 0;
  regular_seen_ = false;
}

bool HeaderRules::accept(std::string_view name, std::string_view value) {
  if (nghttp2_check_header_value(bytes(value), value.size()) == 0) return false;
  if (name.starts_with(':')) return accept_pseudo(name);
  regular_seen_ = true;
  return nghttp2_check_header_name(bytes(name), name.size()) != 0;
}

bool HeaderRules::accept_pseudo(std::string_view name) {
  if (regular_seen_ || block_ == Block::kTrailers) return false;
  const std::span<const std::string_view> known =
      block_ == Block::kRequest ? std::span<const std::string_view>(kRequestFields)
                                : std::span<const std::string_view>(kResponseFields);
  const auto found = std::find(known.begin(), known.end(), name);
  if (found == known.end()) return false;
  const auto bit = static_cast<std::uint8_t>(1u << (found - known.begin()));
  if ((seen_ & bit) != 0) return false;
  seen_ |= bit;
  return true;
}

}  // namespace truss::net
