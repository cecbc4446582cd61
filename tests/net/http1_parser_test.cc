#include "truss/net/http1_parser.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "truss/net/protocol_sniffer.h"

namespace truss::net {
namespace {

/// What a parser reports, as text.
class Record final : public Http1Events {
 public:
  void on_head(Http1Head head) override {
    text += head.method + (head.status != 0 ? std::to_string(head.status) : " " + head.target);
    for (const auto& [name, value] : head.fields) text += " [" + name + "=" + value + "]";
    if (!head.keep_alive) text += " close";
    text += " |";
  }
  void on_body(ByteView piece) override { text += piece; }
  void on_message_end() override { text += "| end\n"; }
  std::string text;
};

std::string parse_all(Http1Parser::Kind kind, const std::vector<ByteView>& pieces,
                      std::size_t limit = 1000) {
  Record record;
  Http1Parser parser(kind, limit, record);
  for (ByteView piece : pieces) {
    while (!piece.empty()) {
      const auto taken = parser.parse(piece);
      if (!taken)
        return record.text + "error " + std::to_string(static_cast<int>(taken.error().code));
      piece.remove_prefix(*taken);
    }
  }
  return record.text;
}

constexpr ByteView kTwoRequests =
    "POST /v3/kv/range?a=b HTTP/1.1\r\nHost: x\r\nX-Long:  v w \r\nTransfer-Encoding: "
    "chunked\r\n\r\n"
    "5\r\nhello\r\n3;ext=1\r\n wo\r\n0\r\nX-Trailer: t\r\n\r\n"
    "GET /health HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n";
constexpr ByteView kTwoRequestsRead =
    "POST /v3/kv/range?a=b [host=x] [x-long=v w] [transfer-encoding=chunked] |hello wo| end\n"
    "GET /health [host=y] [connection=close] close || end\n";

TEST_CASE("pipelined requests split at every byte parse the same") {
  for (std::size_t cut = 0; cut <= kTwoRequests.size(); ++cut) {
    CAPTURE(cut);
    CHECK(parse_all(Http1Parser::Kind::kRequest,
                    {kTwoRequests.substr(0, cut), kTwoRequests.substr(cut)}) == kTwoRequestsRead);
  }
}

TEST_CASE("an offer to upgrade is ignored") {
  CHECK(parse_all(Http1Parser::Kind::kRequest,
                  {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
                   "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"})
            .ends_with("GET /2 [host=x] || end\n"));
}

TEST_CASE("malformed requests") {
  const std::vector<ByteView> bad = {
      "GET\r\n\r\n",
      "GET / HTTP/1.1\r\nHost x\r\n\r\n",
      "BREW /pot HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      ByteView("GET /\0 HTTP/1.1\r\n\r\n", 19),
  };
  for (const ByteView request : bad) {
    CAPTURE(request);
    CHECK(parse_all(Http1Parser::Kind::kRequest, {request}).ends_with("error 3"));
  }
  // Another version is no garbage: the answer is 505.
  CHECK(parse_all(Http1Parser::Kind::kRequest, {"GET / HTTP/2.7\r\n\r\n"}).ends_with("error 9"));
}

TEST_CASE("how a header is cut does not change how large it is") {
  const std::string fine = "GET / HTTP/1.1\r\nA: " + std::string(900, 'v') + "\r\n\r\n";
  const std::string large = "GET / HTTP/1.1\r\nA: " + std::string(1000, 'v') + "\r\n\r\n";
  for (const std::string& text : {fine, large}) {
    std::vector<ByteView> bytes;
    for (std::size_t n = 0; n < text.size(); ++n) bytes.push_back(ByteView(text).substr(n, 1));
    const std::string whole = parse_all(Http1Parser::Kind::kRequest, {text});
    CHECK(parse_all(Http1Parser::Kind::kRequest, bytes) == whole);
    CHECK(whole.starts_with("error") == (text == large));
  }
}

TEST_CASE("a header above the limit is refused wherever it grows") {
  const std::string long_value(300, 'v');
  const std::string in_value = "GET / HTTP/1.1\r\nHost: " + long_value + "\r\n\r\n";
  const std::string in_name = "GET / HTTP/1.1\r\n" + long_value + ": x\r\n\r\n";
  const std::string in_target = "GET /" + long_value + " HTTP/1.1\r\n\r\n";
  std::string in_count = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) in_count += "a:b\r\n";
  for (const std::string& request : {in_value, in_name, in_target, in_count}) {
    CHECK(parse_all(Http1Parser::Kind::kRequest, {request}, 200).ends_with("error 8"));
  }
  CHECK(parse_all(Http1Parser::Kind::kRequest, {in_value}, 500).ends_with("end\n"));
}

TEST_CASE("responses: by length, in chunks, and to the end of the connection") {
  CHECK(parse_all(
            Http1Parser::Kind::kResponse,
            {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n"}) ==
        "200 [content-length=2] |ok| end\n204 || end\n");
  Record record;
  Http1Parser parser(Http1Parser::Kind::kResponse, 1000, record);
  REQUIRE(parser.parse("HTTP/1.1 200 OK\r\n\r\nto the end"));
  CHECK(parser.mid_message());
  REQUIRE(parser.parse_end());
  CHECK(record.text == "200 close |to the end| end\n");
  Http1Parser cut(Http1Parser::Kind::kResponse, 1000, record);
  REQUIRE(cut.parse("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"));
  CHECK_FALSE(cut.parse_end());
}

TEST_CASE("the first bytes tell the protocol") {
  const ByteView preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  for (std::size_t size = 0; size < preface.size(); ++size) {
    CHECK(sniff_protocol(preface.substr(0, size)) == Sniffed::kNeedMore);
  }
  CHECK(sniff_protocol(preface) == Sniffed::kHttp2);
  CHECK(sniff_protocol("GET /health HTTP/1.1\r\n") == Sniffed::kHttp1);
  CHECK(sniff_protocol("GET /health HTTP/1.0\n") == Sniffed::kHttp1);
  CHECK(sniff_protocol("GET /health HT") == Sniffed::kNeedMore);
  CHECK(sniff_protocol("GET /health\r\n") == Sniffed::kNeither);
  CHECK(sniff_protocol("PRI * HTTP/2.1\r\n") == Sniffed::kNeither);
  CHECK(sniff_protocol("\x16\x03\x01\x02\n") == Sniffed::kNeither);
  CHECK(sniff_protocol("GET /" + std::string(5000, 'x')) == Sniffed::kNeither);
}

}  // namespace
}  // namespace truss::net
