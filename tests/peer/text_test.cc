#include "truss/peer/text.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::peer;

TEST_CASE("ids are lower-case hex without padding") {
  CHECK(id_text(0) == "0");
  CHECK(id_text(0x6fb4ec98ee8c562) == "6fb4ec98ee8c562");
  CHECK(id_text(UINT64_MAX) == "ffffffffffffffff");
  CHECK(parse_id("06FB4ec98ee8c562") == 0x6fb4ec98ee8c562);
  CHECK(parse_id("00000000000000000001") == 1);
  for (const char* bad : {"", "g", "0x1", "-1", "+1", " 1", "1 ", "10000000000000000", "1/2"}) {
    CHECK_MESSAGE(!parse_id(bad), bad);
  }
  CHECK(parse_decimal("18446744073709551615") == UINT64_MAX);
  CHECK_FALSE(parse_decimal("18446744073709551616"));
  CHECK_FALSE(parse_decimal("1a"));
}

TEST_CASE("peer URLs are taken apart and sorted") {
  CHECK(parse_peer_urls("http://b:2380,http://a:2380").value() ==
        std::vector<std::string>{"http://a:2380", "http://b:2380"});
  CHECK(parse_peer_urls("https://[::1]:1").value().size() == 1);
  CHECK(parse_peer_urls("unix://localhost:2380").value().size() == 1);
  for (const char* bad :
       {"", ",", "http://a", "http://a:", "http://:1", "http://a:x", "http://a:65536", "a:1",
        "ftp://a:1", "http://a:1/", "http://a:1/x", "http://a:1?x", "http://u@a:1", "http://::1:1",
        "http://[::1:1", "http://a:1,", "http://a b:1", "http://a:1\r\nX: y", "http://\xff:1"}) {
    CHECK_MESSAGE(!parse_peer_urls(bad), bad);
  }
  std::string many = "http://a:1";
  for (int i = 0; i < 64; ++i) many += ",http://a:1";
  CHECK_FALSE(parse_peer_urls(many));
  CHECK_FALSE(parse_peer_urls("http://" + std::string(9000, 'a') + ":1"));
}

TEST_CASE("versions are parsed as strictly as etcd does, which panics instead of refusing") {
  CHECK(parse_semver("3.4.23") == SemVer{3, 4, 23});
  CHECK(parse_semver("3.6.0-alpha.0+Git-5") == SemVer{3, 6, 0});
  for (const char* bad : {"", "3", "3.4", "3.4.", "v3.4.1", "3.4.1.2", "3.04.1", "3.4.x", "3.4.1-",
                          "3.4.1+", "3.4.1-a_b", "-1.0.0", "3.4.99999999999999999999"}) {
    CHECK_MESSAGE(!parse_semver(bad), bad);
  }
  CHECK(SemVer{3, 4, 9}.compare_minor({3, 4, 1}) == 0);
  CHECK(SemVer{3, 4, 9}.compare_minor({3, 10, 1}) < 0);
  CHECK(SemVer{4, 0, 0}.compare_minor({3, 10, 1}) > 0);
}
