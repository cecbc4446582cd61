// A profile that is taken can be driven, and comes back from its own JSON as it was.
#include <cstdint>

#include "truss/common/check.h"
#include "truss/peertool/profile.h"

using namespace truss;
using namespace truss::peertool;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto profile = parse_profile(text, "p.json");
  if (!profile) {
    TRUSS_CHECK(profile.error().message.starts_with("p.json: "), profile.error().message);
    TRUSS_CHECK(profile.error().message.find('\n') == std::string::npos, "more than one line");
    return 0;
  }
  double rates = 0;
  for (const double rate :
       {profile->heartbeats_per_second, profile->appends_per_second, profile->posts_per_second}) {
    TRUSS_CHECK(rate >= 0 && rate <= 1e6, "a rate that nothing can be driven at");
    rates += rate;
  }
  TRUSS_CHECK(rates > 0, "nothing to drive");
  double weights = 0;
  for (const PayloadSize& s : profile->append_sizes) {
    TRUSS_CHECK(s.bytes <= 1u << 20 && s.weight >= 0, "a size that can't be drawn");
    weights += s.weight;
  }
  TRUSS_CHECK(weights > 0, "no weight");
  const std::string json = profile_json(*profile);
  const auto again = parse_profile(json, "p.json");
  TRUSS_CHECK(again.has_value() && profile_json(*again) == json, "a profile changed on its way");
  return 0;
}
