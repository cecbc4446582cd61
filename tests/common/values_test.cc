#include <doctest/doctest.h>

#include <set>
#include <string>
#include <unordered_set>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/crc32c.h"
#include "truss/common/crc32c_combine.h"
#include "truss/common/random.h"
#include "truss/common/strong.h"

using namespace truss;

namespace {

/// Bit by bit, from the polynomial.
std::uint32_t slow_crc32c(ByteView bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("crc32c has its check value and equals the slow reference, in pieces too") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
  CHECK(crc32c("", 77) == 77);
  SeededRandom random(3);
  for (int round = 0; round < 300; ++round) {
    std::string bytes(random.below(200), '\0');
    for (char& c : bytes) c = static_cast<char>(random.next());
    const std::uint32_t seed = static_cast<std::uint32_t>(random.next());
    const std::size_t cut = random.below(bytes.size() + 1);
    CHECK(crc32c(bytes, seed) == slow_crc32c(bytes, seed));
    CHECK(crc32c(ByteView(bytes).substr(cut), crc32c(ByteView(bytes).substr(0, cut), seed)) ==
          crc32c(bytes, seed));
    CHECK(crc32c_combine(crc32c(ByteView(bytes).substr(0, cut), seed),
                         crc32c(ByteView(bytes).substr(cut)),
                         bytes.size() - cut) == crc32c(bytes, seed));
  }
  const std::string large((1 << 20) + 13, 'x');
  CHECK(crc32c_combine(crc32c("before"), crc32c(large), large.size()) ==
        crc32c(large, crc32c("before")));
}

TEST_CASE("SharedBytes shares, moves and compares") {
  const SharedBytes empty;
  CHECK(empty.empty());
  CHECK(empty == SharedBytes::copy(""));
  SharedBytes a = SharedBytes::copy("hello");
  SharedBytes b = a;
  CHECK(a.view().data() == b.view().data());
  b = SharedBytes::copy("hello");
  CHECK(a.view().data() != b.view().data());
  CHECK(a == b);
  SharedBytes c = std::move(a);
  CHECK(a.empty());  // NOLINT: moved from on purpose
  CHECK(c.view() == "hello");
  c = c;  // NOLINT
  CHECK(c.view() == "hello");
  const SharedBytes built = SharedBytes::build(3, [](char* p) { std::memcpy(p, "xyz", 3); });
  CHECK(built.view() == "xyz");
  CHECK(SharedBytes::build(0, [](char*) { FAIL("nothing to fill"); }).empty());
}

TEST_CASE("to_hex is lower case") { CHECK(to_hex(std::string("\x00\xff\x1a", 3)) == "00ff1a"); }

TEST_CASE("Strong integers order, count and hash") {
  using Page = Strong<struct PageTag>;
  Page p{7};
  CHECK(++p == Page{8});
  CHECK(p + 2 == Page{10});
  CHECK(p - Page{3} == 5);
  CHECK(Page{1} < Page{2});
  CHECK(std::unordered_set<Page>{Page{1}, Page{1}, Page{2}}.size() == 2);
}

TEST_CASE("SeededRandom repeats for a seed and differs between seeds") {
  SeededRandom a(1), b(1), c(2);
  for (int i = 0; i < 100; ++i) {
    const auto v = a.next();
    CHECK(v == b.next());
    CHECK(v != c.next());
  }
}

TEST_CASE("Random::below covers its range evenly") {
  SeededRandom random(5);
  int counts[6] = {};
  for (int i = 0; i < 60000; ++i) ++counts[random.below(6)];
  for (const int n : counts) {
    CHECK(n > 9500);
    CHECK(n < 10500);
  }
  CHECK(random.below(1) == 0);
}

TEST_CASE("entropy64 and the system clock give fresh values") {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 16; ++i) seen.insert(entropy64());
  CHECK(seen.size() == 16);
  const SystemClock clock;
  const auto a = clock.now();
  CHECK(clock.now() >= a);
  CHECK(clock.wall().time_since_epoch() > std::chrono::hours(24 * 365 * 50));
}
