#include "requests.h"

#include <algorithm>

#include "wire.h"

namespace truss::bench {
namespace {

constexpr std::string_view kPut = "/etcdserverpb.KV/Put";
constexpr std::string_view kRange = "/etcdserverpb.KV/Range";
constexpr std::string_view kTxn = "/etcdserverpb.KV/Txn";
constexpr std::string_view kLeaseGrant = "/etcdserverpb.Lease/LeaseGrant";
constexpr std::string_view kKeyPrefix = "bench/key/0123456789abcdef/";  // 27 + 7 digits = 34 bytes
constexpr std::size_t kDigits = 7;
constexpr std::int64_t kRangeKeys = 100;
constexpr std::int64_t kLeaseSeconds = 600;

}  // namespace

std::string key_name(std::uint64_t number) {
  std::string out(kKeyPrefix);
  const std::string digits = std::to_string(number);
  out.append(kDigits - std::min(digits.size(), kDigits), '0');
  return out + digits;
}

Request puts_in_one(const std::vector<std::string>& keys, std::string_view value) {
  return {kTxn, puts_request(keys, value), 5};
}

Request put_of(std::string_view key, std::string_view value) {
  return {kPut, put_request(key, value), 5};
}

Requests::Requests(const LoadSpec& spec)
    : spec_(spec), random_(spec.seed), value_(spec.value_bytes, 'v') {}

Request Requests::next() {
  const std::string& op = spec_.op;
  if (op == "put" || op == "watch") return put_of(random_key(), value_);
  if (op == "get-lin") return get(false);
  if (op == "get-ser") return get(true);
  if (op == "range100") return range();
  if (op == "txn4") return {kTxn, txn_request(random_key(), value_), 20};
  if (op == "lease") return {kLeaseGrant, lease_grant_request(kLeaseSeconds), 10};
  return random_.below(10) == 0 ? put_of(random_key(), value_) : get(false);  // mixed
}

Request Requests::get(bool serializable) {
  return {kRange, range_request(random_key(), {}, 0, serializable), spec_.value_bytes};
}

Request Requests::range() {
  const std::uint64_t last = spec_.key_space - static_cast<std::uint64_t>(kRangeKeys);
  const std::string first = key_name(random_.below(last));
  const std::string end(kKeyPrefix.substr(0, kKeyPrefix.size() - 1));
  return {kRange, range_request(first, end + '0', kRangeKeys, true),
          static_cast<std::size_t>(kRangeKeys) * spec_.value_bytes};
}

}  // namespace truss::bench
