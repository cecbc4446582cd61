#include "http_url.h"

#include <doctest/doctest.h>

namespace truss::net {
namespace {

std::string parts(std::string_view text) {
  const auto url = parse_http_url(text);
  if (!url) return url.error().code == Code::kInvalidArgument ? "bad" : "wrong code";
  return (url->tls ? "tls " : "") + url->host + " " + url->port + " " + url->authority + " " +
         url->target;
}

TEST_CASE("URLs come apart") {
  CHECK(parts("http://127.0.0.1:2380/raft") == "127.0.0.1 2380 127.0.0.1:2380 /raft");
  CHECK(parts("http://[::1]:2380/a?b=c#d") == "::1 2380 [::1]:2380 /a?b=c");
  CHECK(parts("http://name") == "name 80 name /");
  CHECK(parts("http://[fe80::1]") == "fe80::1 80 [fe80::1] /");
  CHECK(parts("https://name/x") == "tls name 443 name /x");
  CHECK(parts("http://name:1?q") == "name 1 name:1 /?q");
}

TEST_CASE("what is no URL of ours is refused") {
  for (const char* bad : {"", "name:1", "ftp://x/", "http://", "http:///x", "http://:80/",
                          "http://x:/", "http://x:0/", "http://x:65536/", "http://x:1x/",
                          "http://x: 1/", "http://u@x/", "http://[::1/", "http://[::1]x/",
                          "http://[]:1/", "http://x/a b", "http://x/\r\nEvil: 1", "http://::1/"}) {
    CAPTURE(bad);
    CHECK(parts(bad) == "bad");
  }
}

}  // namespace
}  // namespace truss::net
