#include "http1_client_session.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "truss/net/http_text.h"

namespace truss::net {
namespace {

/// As many as Go's transport takes.
constexpr int kMaxInformational = 5;

void append_chunk(std::string& out, ByteView piece) {
  std::array<char, 20> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
  out.append(size.data(), end).append("\r\n").append(piece).append("\r\n");
}

/// The connection's word on why it ended, as the exchange's.
Error exchange_error(const Error& why) {
  Error out = why;
  if (out.code == Code::kCanceled) out.code = Code::kUnavailable;
  if (out.message == "context canceled") out.message = "unexpected EOF";
  return out;
}

}  // namespace

Http1ClientSession::Http1ClientSession(Clock& clock, const HttpClientOptions& options,
                                       SessionOwner& owner, HttpSessionHome& home,
                                       std::string pool_key)
    : clock_(clock),
      options_(options),
      owner_(owner),
      home_(home),
      pool_key_(std::move(pool_key)),
      parser_(Http1Parser::Kind::kResponse, options.max_header_bytes, *this),
      last_heard_(clock.now()),
      idle_since_(last_heard_) {}

void Http1ClientSession::begin(std::shared_ptr<HttpExchangeState> exchange, std::string head) {
  exchange_ = std::move(exchange);
  exchange_->session = this;
  parser_.expect_no_body(exchange_->call.method == "HEAD");
  out_ = std::move(head);
  sending_ = exchange_->source != nullptr;
  if (!sending_) out_ += exchange_->call.body;
  received_ = 0;
  informational_ = 0;
  sent_at_.reset();
  waiting_ = heard_ = head_done_ = skipping_ = keep_ = false;
  owner_.session_changed();
}

void Http1ClientSession::abandon(const Error& why) {
  end(tl::unexpected(why));
  owner_.session_changed();
}

void Http1ClientSession::resumed() {
  last_heard_ = clock_.now();
  owner_.session_changed();
}

void Http1ClientSession::body_ready() {
  waiting_ = false;
  owner_.session_changed();
}

void Http1ClientSession::retire() {
  if (exchange_ != nullptr) return;
  closing_ = true;
  owner_.session_changed();
}

bool Http1ClientSession::wants_input() const {
  return exchange_ == nullptr || !exchange_->paused.load();
}

Duration Http1ClientSession::write_timeout() const {
  return exchange_ == nullptr ? Duration::zero() : exchange_->call.times.write;
}

Result<void> Http1ClientSession::receive(ByteView bytes) {
  last_heard_ = clock_.now();
  heard_ = true;
  while (!bytes.empty() && exchange_ != nullptr && !closing_) {
    const auto taken = parser_.parse(bytes);
    if (!taken && exchange_ != nullptr) {
      const bool large = taken.error().code == Code::kResourceExhausted;
      end(fail(large ? Code::kResourceExhausted : Code::kInternal,
               "malformed response: " + taken.error().message));
    }
    if (!taken) break;
    bytes.remove_prefix(*taken);
  }
  // Nobody has asked for what is left.
  if (!bytes.empty()) closing_ = true;
  return {};
}

bool Http1ClientSession::receive_end() {
  if (exchange_ == nullptr || closing_) return false;
  if (reused_ && !heard_ && exchange_->may_repeat()) {
    lost({Code::kUnavailable, "unexpected EOF"});
    return false;
  }
  keep_ = false;
  if (head_done_) (void)parser_.parse_end();  // completes a body that only the end delimits
  if (exchange_ != nullptr) end(fail(Code::kUnavailable, "unexpected EOF"));
  return false;
}

Result<void> Http1ClientSession::check_head(const Http1Head& head) const {
  const auto bad = [](const std::string& why) {
    return fail(Code::kInternal, "malformed response: " + why);
  };
  if (head.status < 100 || head.status > 999) return bad("status " + std::to_string(head.status));
  if (head.status == 101) return bad("switches protocols unasked");
  if (head.status < 200 && informational_ >= kMaxInformational) return bad("too many 1xx answers");
  for (const auto& [name, value] : head.fields) {
    if (!is_http_token(name)) return bad("field name " + quoted(name));
    if (name == "transfer-encoding" && !same_but_for_case(value, "chunked")) {
      return bad("unsupported transfer encoding " + quoted(value));
    }
  }
  return {};
}

void Http1ClientSession::on_head(Http1Head head) {
  if (exchange_ == nullptr) return;
  if (auto good = check_head(head); !good) return end(std::move(good));
  skipping_ = head.status < 200;
  if (skipping_) {
    ++informational_;
    return;
  }
  head_done_ = true;
  // An answer before the body is through: the server won't read on.
  const bool complete = !sending_ && out_.empty() && in_flight_ == 0;
  keep_ = head.keep_alive && complete && exchange_->kind == HttpExchangeState::Kind::kFetch;
  sending_ = false;
  if (!sent_at_) sent_at_ = clock_.now();
  HttpResponse response;
  response.status = head.status;
  response.headers = std::move(head.fields);
  exchange_->handler->on_head(std::move(response));
}

void Http1ClientSession::on_body(ByteView piece) {
  if (exchange_ == nullptr) return;
  received_ += piece.size();
  const std::size_t limit = exchange_->call.max_response_bytes;
  if (exchange_->kind != HttpExchangeState::Kind::kOpen && received_ > limit) {
    return end(fail(Code::kResourceExhausted,
                    "response body larger than " + std::to_string(limit) + " bytes"));
  }
  exchange_->handler->on_body(piece);
}

void Http1ClientSession::on_message_end() {
  if (skipping_ || exchange_ == nullptr) {
    skipping_ = false;
    return;
  }
  end({});
}

/// Leaves the session idle or closing, then tells the exchange.
void Http1ClientSession::end(Result<void> how) {
  const std::shared_ptr<HttpExchangeState> done = std::move(exchange_);
  exchange_ = nullptr;
  if (done == nullptr) return;
  out_.clear();
  sending_ = false;
  reused_ = true;
  idle_since_ = clock_.now();
  closing_ = closing_ || !how || !keep_;
  if (!closing_) home_.became_idle(*this);
  done->finish(std::move(how));
}

void Http1ClientSession::pull(std::string& out, std::size_t limit_bytes) {
  if (exchange_ == nullptr) return;
  const std::size_t before = out.size();
  if (!out_.empty()) {
    const std::size_t take = std::min(out_.size(), limit_bytes - std::min(out.size(), limit_bytes));
    out.append(out_, 0, take);
    out_.erase(0, take);
  }
  if (out_.empty()) pull_source(out, limit_bytes);
  in_flight_ += out.size() - before;
}

void Http1ClientSession::pull_source(std::string& out, std::size_t limit_bytes) {
  while (sending_ && !waiting_ && out.size() < limit_bytes) {
    if (!pull_piece(out)) return;
  }
}

bool Http1ClientSession::pull_piece(std::string& out) {
  SharedBytes piece;
  auto got = exchange_->source->pull(piece);
  if (!got) {
    end(tl::unexpected(std::move(got).error()));
    return false;
  }
  if (*got == HttpBodySource::Pull::kLater) {
    waiting_ = true;
  } else if (*got == HttpBodySource::Pull::kEnd) {
    out += "0\r\n\r\n";
    sending_ = false;
  } else if (!piece.empty()) {
    append_chunk(out, piece.view());
  }
  return true;
}

void Http1ClientSession::wrote(std::size_t bytes) {
  in_flight_ -= bytes;
  check_sent();
}

void Http1ClientSession::check_sent() {
  if (exchange_ == nullptr || sent_at_ || sending_ || !out_.empty() || in_flight_ > 0) return;
  sent_at_ = last_heard_ = clock_.now();
}

std::optional<MonoTime> Http1ClientSession::next_time() const {
  if (closing_) return std::nullopt;
  if (exchange_ == nullptr) return idle_since_ + options_.idle_timeout;
  const HttpTimes& times = exchange_->call.times;
  std::optional<MonoTime> next = exchange_->deadline;
  const auto consider = [&](MonoTime when) { next = next ? std::min(*next, when) : when; };
  if (!response_due()) return next;
  if (times.response > Duration::zero()) consider(*sent_at_ + times.response);
  if (times.read > Duration::zero() && !exchange_->paused.load()) {
    consider(last_heard_ + times.read);
  }
  return next;
}

void Http1ClientSession::on_time(MonoTime now) {
  const std::optional<MonoTime> next = next_time();
  if (!next || now < *next) return;
  if (exchange_ == nullptr) return retire();
  end(fail(Code::kDeadlineExceeded,
           head_done_ ? "i/o timeout in the response body" : "i/o timeout awaiting the response"));
}

void Http1ClientSession::lost(const Error& why) {
  closing_ = true;
  if (exchange_ == nullptr) return;
  if (reused_ && !heard_ && why.code != Code::kDeadlineExceeded && exchange_->may_repeat()) {
    const std::shared_ptr<HttpExchangeState> again = std::move(exchange_);
    exchange_ = nullptr;
    again->session = nullptr;
    again->repeated = true;
    return home_.repeat(again);
  }
  end(tl::unexpected(exchange_error(why)));
}

}  // namespace truss::net
