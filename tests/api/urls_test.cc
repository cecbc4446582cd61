#include "truss/api/urls.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::api;

TEST_CASE("urls: good ones come back sorted") {
  const auto got = normalize_urls({"http://b:2", " http://a:1", "unix:///run/x"});
  REQUIRE(got);
  CHECK(*got == std::vector<std::string>{"http://a:1", "http://b:2", "unix:///run/x"});
}

TEST_CASE("urls: bad ones are named") {
  const std::pair<const char*, const char*> cases[] = {
      {"ftp://a:1", "URL scheme must be http, https, unix, or unixs: ftp://a:1"},
      {"http://a", "URL address does not have the form \"host:port\": http://a"},
      {"http://a:1/x", "URL must not contain a path: http://a:1/x"},
      {"127.0.0.1:2380",
       "parse \"127.0.0.1:2380\": first path segment in URL cannot contain colon"},
      {"http://a:x", "parse \"http://a:x\": invalid port \":x\" after host"}};
  for (const auto& [url, error] : cases) {
    const auto got = normalize_urls({url});
    REQUIRE(!got);
    CHECK(got.error().message == error);
  }
  CHECK(normalize_urls({}).error().message == "no valid URLs given");
}
