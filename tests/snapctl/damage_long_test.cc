// Every truncation and every bit flip of a small snapshot.
#include "damage_sweep.h"

using namespace truss::snaptool_test;

TEST_CASE("every truncation is refused") {
  DamageSweep sweep;
  const std::string& whole = sweep.whole();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    if (size == whole.size() - 32) continue;
    REQUIRE(sweep.refused(whole.substr(0, size)));
    sweep.walk(whole.substr(0, size));
  }
}

TEST_CASE("every flipped bit is found, and walked over without the hash") {
  DamageSweep sweep;
  for (std::size_t bit = 0; bit < sweep.whole().size() * 8; ++bit) {
    CAPTURE(bit);
    REQUIRE(sweep.refused(flipped(sweep.whole(), bit)));
    if (bit < sweep.without_trailer().size() * 8) {
      sweep.walk(flipped(sweep.without_trailer(), bit));
    }
  }
}
