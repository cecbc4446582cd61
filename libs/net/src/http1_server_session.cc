#include "http1_server_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "redirect.h"
#include "truss/net/http_text.h"
#include "url.h"

namespace truss::net {
namespace {

/// A CR or LF in a value would start a field of somebody else's making.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) out += c == '\r' || c == '\n' ? ' ' : c;
  out += "\r\n";
}

std::string http_date(WallTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

bool has_field(const Metadata& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return same_but_for_case(field.first, name); });
}

void not_found(HttpReply reply) {
  reply.send(404,
             {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}},
             "404 page not found\n");
}

void moved(HttpReply reply, const HttpRequest& request, std::string_view path) {
  const std::string location = location_of(path, request.query);
  Metadata fields = {{"Location", location}};
  const bool shows = request.method == "GET" || request.method == "HEAD";
  if (shows) fields.insert(fields.begin(), {"Content-Type", "text/html; charset=utf-8"});
  reply.send(301, std::move(fields), shows ? moved_page(location) : std::string());
}

}  // namespace

void HttpState::run(Command& command) {
  if (session != nullptr) {
    session->apply(*this, command);
  } else if (command.kind == CommandKind::kOnGone) {
    command.extra->callback();
  }
}

void HttpState::push(CommandKind kind, SharedBytes bytes, std::unique_ptr<CommandExtra> extra) {
  mailbox->push({shared_from_this(), std::move(bytes), std::move(extra), kind});
}

Http1ServerSession::Http1ServerSession(const ServiceTable& table, const ServerOptions& options,
                                       Clock& clock, std::shared_ptr<Mailbox> mailbox,
                                       std::string peer, SessionOwner& owner)
    : table_(table),
      options_(options),
      clock_(clock),
      mailbox_(std::move(mailbox)),
      peer_(std::move(peer)),
      owner_(owner),
      parser_(Http1Parser::Kind::kRequest, options.max_http_header_bytes, *this),
      last_heard_(clock.now()) {}

Result<void> Http1ServerSession::receive(ByteView bytes) {
  if (closing_ || stalled_) return {};
  last_heard_ = clock_.now();
  if (request_done_) {
    waiting_.append(bytes);
  } else {
    parse_more(bytes);
  }
  return {};
}

void Http1ServerSession::parse_more(ByteView bytes) {
  // A deadline for the header from its first byte; for a body, from its latest.
  const bool reading_header = current_ == nullptr && request_.method.empty();
  if (!reading_header || !read_deadline_) {
    read_deadline_ = last_heard_ + options_.http_header_timeout;
  }
  while (!bytes.empty() && !request_done_ && !closing_) {
    const auto taken = parser_.parse(bytes);
    if (!taken) return refuse(taken.error());
    bytes.remove_prefix(*taken);
  }
  if (request_done_ || (dispatched_ && route_ != nullptr && route_->stream_body)) {
    read_deadline_.reset();
  }
  if (request_done_) waiting_.append(bytes);
}

/// Ends the connection with Go's answer to what is no request.
void Http1ServerSession::refuse(const Error& why) {
  if (closing_) return;
  int status = 400;
  if (why.code == Code::kResourceExhausted) status = 431;
  if (why.code == Code::kUnimplemented) status = 501;
  if (why.code == Code::kFailedPrecondition) status = 505;
  std::string line = std::to_string(status) + " " + std::string(reason_of(status));
  std::string text = line;
  if (status == 501) {
    text = why.message;
  } else if (!why.message.starts_with("http:")) {
    text = line = line + ": " + why.message;
  }
  if (current_ == nullptr || !dispatched_) {
    out_ += "HTTP/1.1 " + line +
            "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" + text;
  }
  lost(why);
  closing_ = true;
}

void Http1ServerSession::on_head(Http1Head head) {
  request_ = HttpRequest();
  request_.method = std::move(head.method);
  request_.target = std::move(head.target);
  request_.headers = std::move(head.fields);
  request_.peer = peer_;
  split_target(request_);
  keep_alive_ = head.keep_alive && !shutting_down_;
  if (head.minor >= 1 && !has_field(request_.headers, "host")) {
    return refuse({Code::kInvalidArgument, "missing required Host header"});
  }
  if (!head.chunked && has_field(request_.headers, "transfer-encoding")) {
    return refuse({Code::kUnimplemented, "Unsupported transfer encoding"});
  }
  if (request_.method != "CONNECT") moved_to_ = table_.moved_path(request_.path);
  route_ = moved_to_.empty() ? table_.find_route(request_.path) : nullptr;
  max_body_ = route_ != nullptr ? route_->max_body_bytes : 0;
  current_ = std::make_shared<HttpState>();
  current_->mailbox = mailbox_;
  current_->high_water_bytes = options_.stream_high_water;
  current_->session = this;
  current_->head_only = request_.method == "HEAD";
  current_->http10 = head.minor == 0;
  if (request_.header("expect") == "100-continue") out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  if (route_ != nullptr && route_->stream_body) dispatch();
}

void Http1ServerSession::on_body(ByteView piece) {
  if (closing_ || current_ == nullptr) return;
  if (route_ != nullptr && route_->stream_body) {
    if (current_->body) current_->body(piece, false);
    return;
  }
  const std::size_t room = max_body_ - request_.body.size();
  request_.body.append(piece.substr(0, room));
  if (piece.size() <= room || dispatched_) return;
  request_.oversized = true;
  dispatch();
}

void Http1ServerSession::on_message_end() {
  if (closing_) return;
  request_done_ = true;
  if (!dispatched_) return dispatch();
  if (current_ != nullptr && current_->body) current_->body({}, true);
}

void Http1ServerSession::dispatch() {
  dispatched_ = true;
  HttpReply reply(current_);
  const HttpFilter& filter = table_.filter();
  if (filter && filter(request_, reply, current_->extra_headers)) return;
  if (!moved_to_.empty()) return moved(reply, request_, moved_to_);
  if (route_ == nullptr) return not_found(reply);
  route_->handler(std::move(request_), reply);
}

void Http1ServerSession::apply(HttpState& state, Command& command) {
  const bool current = current_.get() == &state && !answer_done_;
  switch (command.kind) {
    case CommandKind::kHttpSend:
      if (current) write_whole(state, *command.extra);
      break;
    case CommandKind::kHttpBegin:
      if (current) write_head(state, *command.extra);
      break;
    case CommandKind::kSend:
      if (current) write_chunk(state, command.bytes.view());
      break;
    case CommandKind::kHttpEnd:
      if (current) write_end(state, command.extra->fields);
      break;
    case CommandKind::kHttpAbort:
      if (current) abort();
      break;
    case CommandKind::kResume:
      last_heard_ = clock_.now();
      break;
    case CommandKind::kOnGone:
      state.gone = std::move(command.extra->callback);
      break;
    case CommandKind::kOnWritable:
      state.writable = std::move(command.extra->callback);
      break;
    default:
      break;
  }
  owner_.session_changed();
}

void Http1ServerSession::start_line(HttpState& state, const CommandExtra& answer) {
  out_ += state.http10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out_ += std::to_string(answer.http_status) + " ";
  out_ += reason_of(answer.http_status);
  out_ += "\r\n";
  for (const auto& [name, value] : state.extra_headers) {
    if (!has_field(answer.fields, name)) append_field(out_, name, value);
  }
  for (const auto& [name, value] : answer.fields) append_field(out_, name, value);
  append_field(out_, "Date", http_date(clock_.wall()));
  // An answer before the whole request is in leaves the rest unread.
  if (!request_done_) keep_alive_ = false;
  if (keep_alive_ == state.http10) {  // each version says what it does not take for granted
    append_field(out_, "Connection", keep_alive_ ? "keep-alive" : "close");
  }
}

void Http1ServerSession::write_whole(HttpState& state, const CommandExtra& answer) {
  start_line(state, answer);
  if (!has_no_body(answer.http_status)) {
    append_field(out_, "Content-Length", std::to_string(answer.body.size()));
  }
  out_ += "\r\n";
  if (!state.head_only && !has_no_body(answer.http_status)) out_ += answer.body;
  complete_answer();
}

void Http1ServerSession::write_head(HttpState& state, const CommandExtra& answer) {
  if (state.http10) keep_alive_ = false;
  start_line(state, answer);
  if (!state.http10) append_field(out_, "Transfer-Encoding", "chunked");
  out_ += "\r\n";
}

void Http1ServerSession::write_chunk(HttpState& state, ByteView chunk) {
  if (chunk.empty()) return;
  if (state.head_only) {
    state.queued.fetch_sub(chunk.size());
    return;
  }
  counted_ += chunk.size();
  if (state.http10) {
    out_ += chunk;
    return;
  }
  std::array<char, 20> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), chunk.size(), 16).ptr;
  out_.append(size.data(), end).append("\r\n").append(chunk).append("\r\n");
}

void Http1ServerSession::write_end(HttpState& state, const Metadata& trailers) {
  if (!state.http10 && !state.head_only) {
    out_ += "0\r\n";
    for (const auto& [name, value] : trailers) append_field(out_, name, value);
    out_ += "\r\n";
  }
  complete_answer();
}

void Http1ServerSession::abort() {
  current_->gone = nullptr;
  lost({Code::kCanceled, "answer cut"});
  closing_ = true;
}

void Http1ServerSession::complete_answer() {
  answer_done_ = true;
  current_->closed.store(true);
  current_->gone = nullptr;
  current_->body = nullptr;
  current_->stall = nullptr;
  if (!keep_alive_ || !request_done_ || shutting_down_) {
    lost({Code::kOk, {}});
    closing_ = true;
    return;
  }
  next_request();
}

void Http1ServerSession::next_request() {
  current_->session = nullptr;
  current_.reset();
  counted_ = 0;
  request_ = HttpRequest();
  route_ = nullptr;
  dispatched_ = request_done_ = answer_done_ = false;
  read_deadline_.reset();
  last_heard_ = clock_.now();
  if (waiting_.empty()) return;
  std::string bytes;
  bytes.swap(waiting_);
  parse_more(bytes);
}

bool Http1ServerSession::receive_end() {
  // A client that has said all may still wait for a short answer, but nobody reads a stream on.
  if (current_ == nullptr || !request_done_ || current_->gone) return false;
  keep_alive_ = false;
  return true;
}

void Http1ServerSession::pull(std::string& out, std::size_t limit_bytes) {
  if (out.size() >= limit_bytes || out_.empty()) return;
  const std::size_t take = std::min(out_.size(), limit_bytes - out.size());
  out.append(out_, 0, take);
  out_.erase(0, take);
  in_flight_ += take;
}

void Http1ServerSession::wrote(std::size_t bytes) {
  in_flight_ -= bytes;
  const bool all = out_.empty() && in_flight_ == 0;
  const std::size_t gone = all ? counted_ : std::min(counted_, bytes);
  counted_ -= gone;
  if (current_ == nullptr || gone == 0) return;
  HttpState& state = *current_;
  const std::size_t left = state.queued.fetch_sub(gone) - gone;
  if (left >= options_.stream_low_water || !state.above_high.load()) return;
  if (state.above_high.exchange(false) && state.writable) state.writable();
}

/// When a client that owes us bytes has been silent for too long.
std::optional<MonoTime> Http1ServerSession::silence_deadline() const {
  const bool owes = !request_done_ && !closing_ && !stalled_ && !body_held();
  if (!owes || options_.http_read_timeout <= Duration::zero()) return std::nullopt;
  return last_heard_ + options_.http_read_timeout;
}

std::optional<MonoTime> Http1ServerSession::next_time() const {
  const std::optional<MonoTime> silence = silence_deadline();
  if (!silence || !read_deadline_) return silence ? silence : read_deadline_;
  return std::min(*silence, *read_deadline_);
}

void Http1ServerSession::on_time(MonoTime now) {
  const std::optional<MonoTime> next = next_time();
  if (!next || now < *next) return;
  read_deadline_.reset();
  if (let_answer_stall()) return;
  lost({Code::kDeadlineExceeded, "http: request timed out"});
  closing_ = true;
  out_.clear();
}

/// Whether the handler answers a client that fell silent in mid-body, or already does.
bool Http1ServerSession::let_answer_stall() {
  if (current_ == nullptr || stalled_) return false;
  if (dispatched_ && !current_->stall) return false;
  stalled_ = true;
  if (!dispatched_) {
    request_.stalled = true;
    dispatch();
  } else {
    current_->body = nullptr;
    const auto stall = std::move(current_->stall);
    stall();
  }
  return true;
}

void Http1ServerSession::begin_shutdown() {
  shutting_down_ = true;
  keep_alive_ = false;
  if (current_ == nullptr && !parser_.mid_message()) closing_ = true;
}

void Http1ServerSession::lost(const Error& /*why*/) {
  if (current_ == nullptr) return;
  const std::shared_ptr<HttpState> state = std::move(current_);
  current_.reset();
  counted_ = 0;
  state->session = nullptr;
  state->closed.store(true);
  state->body = nullptr;
  state->stall = nullptr;
  state->writable = nullptr;
  if (const auto gone = std::move(state->gone)) gone();
}

}  // namespace truss::net
