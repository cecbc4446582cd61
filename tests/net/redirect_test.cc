// Paths that Go's mux redirects; the texts are etcd 3.4.23's own answers.
#include "redirect.h"

#include <doctest/doctest.h>

#include <string>

#include "http1_session_support.h"

namespace truss::net {
namespace {

using namespace testing;  // NOLINT: one file

std::string ask(const std::string& line) {
  Web web;
  return web.say(line + " HTTP/1.1\r\nHost: x\r\n\r\n");
}

TEST_CASE("paths are cleaned as Go cleans them") {
  CHECK(clean_path("/") == "/");
  CHECK(clean_path("") == "/");
  CHECK(clean_path("//members") == "/members");
  CHECK(clean_path("/a/./b//c/") == "/a/b/c/");
  CHECK(clean_path("/raft/../members") == "/members");
  CHECK(clean_path("/../..") == "/");
  CHECK(clean_path("/a/..") == "/");
  CHECK(clean_path("/a/../") == "/");
  CHECK(clean_path("/...") == "/...");
}

TEST_CASE("a path that is not clean is moved, with its query") {
  CHECK(ask("GET //whole") ==
        "HTTP/1.1 301 Moved Permanently\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Location: /whole\r\n" +
            kDate + "Content-Length: 41\r\n\r\n<a href=\"/whole\">Moved Permanently</a>.\n\n");
  CHECK(ask("GET /a%3cb//c?x=1&y=2").find("Location: /a%3Cb/c?x=1&y=2\r\n") != std::string::npos);
  CHECK(ask("GET /a//b?x&y").ends_with("<a href=\"/a/b?x&amp;y\">Moved Permanently</a>.\n\n"));
}

TEST_CASE("a subtree without its slash is moved unless the path has a route of its own") {
  CHECK(ask("POST /tree") == "HTTP/1.1 301 Moved Permanently\r\nLocation: /tree/\r\n" + kDate +
                                 "Content-Length: 0\r\n\r\n");
  CHECK(ask("GET /tree/x").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(ask("GET /whole").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(ask("GET /whole/").starts_with("HTTP/1.1 404 Not Found\r\n"));
}

TEST_CASE("no Location lets a header field in") {
  CHECK(ask("GET //%0d%0aEvil:%201").find("Location: /%0D%0AEvil:%201\r\n") != std::string::npos);
}

}  // namespace
}  // namespace truss::net
