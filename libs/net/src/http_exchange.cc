#include "http_exchange.h"

#include <algorithm>

#include "dialer.h"
#include "http1_client_session.h"
#include "truss/net/http_text.h"

namespace truss::net {
namespace {

bool has_header(const Metadata& fields, std::string_view lower_name) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return to_lower(field.first) == lower_name; });
}

/// The framing of the body is this file's business.
bool is_ours(const std::string& lower_name) {
  return lower_name == "content-length" || lower_name == "transfer-encoding" ||
         lower_name == "host" || lower_name == "connection";
}

void append(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_framing(std::string& out, const HttpExchangeState& exchange) {
  if (exchange.kind == HttpExchangeState::Kind::kUpload) {
    return append(out, "Transfer-Encoding", "chunked");
  }
  const HttpCall& call = exchange.call;
  const bool expected = call.method != "GET" && call.method != "HEAD";
  if (expected || !call.body.empty()) {
    append(out, "Content-Length", std::to_string(call.body.size()));
  }
}

}  // namespace

Result<std::string> request_head(const HttpExchangeState& exchange, const std::string& user_agent) {
  const HttpCall& call = exchange.call;
  if (!is_http_token(call.method)) {
    return fail(Code::kInvalidArgument, "invalid method \"" + call.method + "\"");
  }
  std::string out = call.method + " " + exchange.url.target + " HTTP/1.1\r\n";
  append(out, "Host", exchange.url.authority);
  if (!has_header(call.headers, "user-agent")) append(out, "User-Agent", user_agent);
  append_framing(out, exchange);
  for (const auto& [name, value] : call.headers) {
    if (!is_http_token(name) || !is_http_field_value(value) || is_ours(to_lower(name))) {
      return fail(Code::kInvalidArgument, "header field " + quoted(name) + " can't be sent");
    }
    append(out, name, value);
  }
  if (!has_header(call.headers, "accept-encoding")) append(out, "Accept-Encoding", "identity");
  return out + "\r\n";
}

void HttpExchangeState::finish(Result<void> how) {
  if (over()) return;
  const auto self = shared_from_this();
  const auto last = std::move(handler);
  const auto doomed = std::move(source);
  handler = nullptr;
  session = nullptr;
  if (const auto dialing = std::move(dialer)) dialing->cancel();
  if (const auto forget = std::move(over_hook)) forget();
  if (how) return last->on_end({});
  last->on_end(fail(call.method + " " + call.url, std::move(how).error()));
}

void HttpExchangeState::cancel(const Error& why) {
  if (session != nullptr) return session->abandon(why);
  finish(tl::unexpected(why));
}

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (field == name) return value;
  }
  return {};
}

void HttpExchange::cancel() {
  if (state_ == nullptr) return;
  state_->thread->post([state = state_] { state->cancel({Code::kCanceled, "cancelled"}); });
}

void HttpExchange::pause(bool paused) {
  state_->paused.store(paused);
  if (paused) return;
  state_->thread->post([state = state_] {
    if (state->session != nullptr) state->session->resumed();
  });
}

void HttpExchange::body_ready() {
  state_->thread->post([state = state_] {
    if (state->session != nullptr) state->session->body_ready();
  });
}

}  // namespace truss::net
