// A sample of what damage_long_test.cc does to every bit and length.
#include "damage_sweep.h"

using namespace truss::snaptool_test;

TEST_CASE("a snapshot cut off anywhere is refused") {
  DamageSweep sweep;
  const std::string& whole = sweep.whole();
  for (std::size_t size = 0; size < whole.size(); size += 13) {
    CAPTURE(size);
    if (size == whole.size() - 32) continue;
    CHECK(sweep.refused(whole.substr(0, size)));
  }
  for (std::size_t cut = 1; cut < 32; ++cut) {
    CHECK(sweep.refused(whole.substr(0, whole.size() - cut)));
  }
  CHECK(sweep.accepted_without_hash(sweep.without_trailer()));
}

TEST_CASE("a flipped bit is found by the SHA-256, be it in image or trailer") {
  DamageSweep sweep;
  for (std::size_t bit = 0; bit < sweep.whole().size() * 8; bit += 53) {
    CAPTURE(bit);
    CHECK(sweep.refused(flipped(sweep.whole(), bit)));
  }
}

TEST_CASE("without the check of the hash, damaged files are walked to an end") {
  DamageSweep sweep;
  for (std::size_t bit = 0; bit < sweep.without_trailer().size() * 8; bit += 41) {
    sweep.walk(flipped(sweep.without_trailer(), bit));
  }
  for (std::size_t size = 0; size < sweep.whole().size(); size += 31) {
    sweep.walk(sweep.whole().substr(0, size));
  }
}
