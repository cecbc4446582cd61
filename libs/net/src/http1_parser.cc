#include "truss/net/http1_parser.h"

#include <http_parser.h>

#include <mutex>
#include <optional>
#include <utility>

namespace truss::net {
namespace {

/// http_parser's own limit is one number of the process: set it once, above any of ours.
void lift_library_limit() {
  static std::once_flag once;
  std::call_once(once, [] { http_parser_set_max_header_size(64u << 20); });
}

void trim(std::string& text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
}

void lower(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
}

}  // namespace

struct Http1Parser::Native {
  Native(Kind kind, std::size_t limit, Http1Events& sink) : events(sink), max_header_bytes(limit) {
    lift_library_limit();
    http_parser_init(&parser, kind == Kind::kRequest ? HTTP_REQUEST : HTTP_RESPONSE);
    parser.data = this;
  }

  static Native& self(http_parser* p) { return *static_cast<Native*>(p->data); }

  static int message_begin(http_parser* p) {
    Native& me = self(p);
    me.head = Http1Head();
    me.header_bytes = 0;
    me.in_message = true;
    me.in_value = false;
    return 0;
  }

  int count(std::size_t size) {
    header_bytes += size;
    too_large = header_bytes > max_header_bytes;
    return too_large ? 1 : 0;
  }

  static int url(http_parser* p, const char* at, std::size_t size) {
    Native& me = self(p);
    me.head.target.append(at, size);
    return me.count(size);
  }

  static int field(http_parser* p, const char* at, std::size_t size) {
    Native& me = self(p);
    const bool begins = std::exchange(me.in_value, false);
    // Before the end of the header a name begins a field; after it, trailers are dropped.
    if (me.head_done) return me.count(size);
    if (begins || me.head.fields.empty()) me.head.fields.emplace_back();
    me.head.fields.back().first.append(at, size);
    return me.count(size);
  }

  static int value(http_parser* p, const char* at, std::size_t size) {
    Native& me = self(p);
    const bool begins = !std::exchange(me.in_value, true);
    // The two separators of a line count once, however many pieces it comes in.
    const std::size_t counted = size + (begins ? 4 : 0);
    if (me.head_done) return me.count(counted);
    me.head.fields.back().second.append(at, size);
    return me.count(counted);
  }

  static int headers_complete(http_parser* p) {
    Native& me = self(p);
    p->upgrade = 0;  // Upgrade offers are ignored, as etcd does
    Http1Head head = std::exchange(me.head, Http1Head());
    for (auto& [name, text] : head.fields) {
      lower(name);
      trim(text);
    }
    if (p->type == HTTP_REQUEST) {
      head.method = http_method_str(static_cast<http_method>(p->method));
    } else {
      head.status = static_cast<int>(p->status_code);
    }
    head.minor = p->http_minor;
    head.keep_alive = http_should_keep_alive(p) != 0;
    head.chunked = (p->flags & F_CHUNKED) != 0;
    me.version_ok = p->http_major == 1;
    if (!me.version_ok) return -1;
    me.head_done = true;
    me.header_bytes = 0;
    // Whatever the fields say: RFC 9112 §6.3.
    const bool bare = head.status / 100 == 1 || head.status == 204 || head.status == 304;
    me.events.on_head(std::move(head));
    return bare || me.no_body ? 1 : 0;
  }

  static int body(http_parser* p, const char* at, std::size_t size) {
    self(p).events.on_body(ByteView(at, size));
    return 0;
  }

  static int message_complete(http_parser* p) {
    Native& me = self(p);
    me.in_message = me.head_done = false;
    me.complete = true;
    http_parser_pause(p, 1);
    me.events.on_message_end();
    return 0;
  }

  static const http_parser_settings& settings() {
    static const http_parser_settings table = [] {
      http_parser_settings s;
      http_parser_settings_init(&s);
      s.on_message_begin = message_begin;
      s.on_url = url;
      s.on_header_field = field;
      s.on_header_value = value;
      s.on_headers_complete = headers_complete;
      s.on_body = body;
      s.on_message_complete = message_complete;
      return s;
    }();
    return table;
  }

  http_parser parser;
  Http1Events& events;
  std::size_t max_header_bytes;
  std::size_t header_bytes = 0;
  Http1Head head;
  bool in_value = false;
  bool in_message = false;
  bool head_done = false;
  bool complete = false;
  bool too_large = false;
  bool version_ok = true;
  bool no_body = false;
};

Http1Parser::Http1Parser(Kind kind, std::size_t max_header_bytes, Http1Events& events)
    : native_(std::make_unique<Native>(kind, max_header_bytes, events)) {}

Http1Parser::~Http1Parser() = default;

Result<std::size_t> Http1Parser::parse(ByteView bytes) {
  Native& me = *native_;
  me.complete = false;
  const std::size_t taken =
      http_parser_execute(&me.parser, &Native::settings(), bytes.data(), bytes.size());
  const auto error = HTTP_PARSER_ERRNO(&me.parser);
  if (error == HPE_PAUSED && me.complete) {
    http_parser_pause(&me.parser, 0);
    return taken;
  }
  if (me.too_large || error == HPE_HEADER_OVERFLOW) {
    return fail(Code::kResourceExhausted,
                "http: header larger than " + std::to_string(me.max_header_bytes) + " bytes");
  }
  if (!me.version_ok && me.parser.type == HTTP_REQUEST) {
    return fail(Code::kFailedPrecondition, "unsupported protocol version");
  }
  if (error != HPE_OK) {
    return fail(Code::kInvalidArgument, std::string("http: ") + http_errno_description(error));
  }
  return taken;
}

Result<void> Http1Parser::parse_end() {
  Native& me = *native_;
  if (!me.in_message) return {};
  http_parser_execute(&me.parser, &Native::settings(), nullptr, 0);
  const auto error = HTTP_PARSER_ERRNO(&me.parser);
  if (error == HPE_OK || error == HPE_PAUSED) {
    if (!me.in_message) return {};
  }
  return fail(Code::kUnavailable, "http: unexpected end of message");
}

bool Http1Parser::mid_message() const { return native_->in_message; }

void Http1Parser::expect_no_body(bool none) { native_->no_body = none; }

}  // namespace truss::net
