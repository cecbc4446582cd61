#include "truss/net/http.h"

#include "http1_server_session.h"
#include "truss/common/text.h"

namespace truss::net {
namespace {

std::unique_ptr<CommandExtra> extra_of(std::function<void()> callback) {
  auto extra = std::make_unique<CommandExtra>();
  extra->callback = std::move(callback);
  return extra;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (field == name) return value;
  }
  return {};
}

std::vector<std::string> HttpRequest::query_values(std::string_view name) const {
  std::vector<std::string> out;
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    out.push_back(percent_decode(pair.substr(std::min(pair.size(), equals + 1)), true));
  }
  return out;
}

std::string HttpRequest::query_value(std::string_view name) const {
  const std::vector<std::string> values = query_values(name);
  return values.empty() ? std::string() : values.front();
}

void HttpReply::send(int status, Metadata headers, std::string body) {
  if (state_->answered.exchange(true)) return;
  auto extra = std::make_unique<CommandExtra>();
  extra->http_status = status;
  extra->fields = std::move(headers);
  extra->body = std::move(body);
  state_->push(CommandKind::kHttpSend, {}, std::move(extra));
}

void HttpReply::begin(int status, Metadata headers) {
  if (state_->answered.exchange(true)) return;
  auto extra = std::make_unique<CommandExtra>();
  extra->http_status = status;
  extra->fields = std::move(headers);
  state_->push(CommandKind::kHttpBegin, {}, std::move(extra));
}

std::size_t HttpReply::write(ByteView chunk) {
  if (closed()) return 0;
  const std::size_t queued = state_->queued.fetch_add(chunk.size()) + chunk.size();
  if (queued > state_->high_water_bytes) state_->above_high.store(true);
  state_->push(CommandKind::kSend, SharedBytes::copy(chunk), nullptr);
  return queued;
}

void HttpReply::end(Metadata trailers) {
  auto extra = std::make_unique<CommandExtra>();
  extra->fields = std::move(trailers);
  state_->push(CommandKind::kHttpEnd, {}, std::move(extra));
}

void HttpReply::abort() {
  state_->answered.store(true);
  state_->push(CommandKind::kHttpAbort, {}, nullptr);
}

std::size_t HttpReply::queued_bytes() const { return closed() ? 0 : state_->queued.load(); }

void HttpReply::pause_body(bool paused) {
  state_->body_paused.store(paused);
  if (!paused) state_->push(CommandKind::kResume, {}, nullptr);
}

bool HttpReply::closed() const { return state_->closed.load(); }

void HttpReply::on_disconnect(std::function<void()> gone) {
  state_->push(CommandKind::kOnGone, {}, extra_of(std::move(gone)));
}

void HttpReply::on_writable(std::function<void()> writable) {
  state_->push(CommandKind::kOnWritable, {}, extra_of(std::move(writable)));
}

void HttpReply::on_body(std::function<void(ByteView, bool)> piece) {
  state_->body = std::move(piece);
}

void HttpReply::on_stall(std::function<void()> stalled) { state_->stall = std::move(stalled); }

}  // namespace truss::net
