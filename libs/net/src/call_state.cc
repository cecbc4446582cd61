#include "call_state.h"

#include "grpc_server_session.h"

namespace truss::net {

void HeaderStore::add(std::string_view name, std::string_view value) {
  bytes_.append(name);
  entries_.push_back({static_cast<std::uint32_t>(name.size()),
                      static_cast<std::uint32_t>(bytes_.size()),
                      static_cast<std::uint32_t>(value.size())});
  bytes_.append(value);
}

std::optional<std::string_view> HeaderStore::find(std::string_view name) const {
  for (const Entry& e : entries_) {
    if (name_of(e) == name) return value_of(e);
  }
  return std::nullopt;
}

std::vector<std::string_view> HeaderStore::find_all(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const Entry& e : entries_) {
    if (name_of(e) == name) out.push_back(value_of(e));
  }
  return out;
}

void CallState::run(Command& command) {
  if (session != nullptr) session->apply(*this, command);
}

void CallState::push(CommandKind kind, SharedBytes bytes, std::unique_ptr<CommandExtra> extra) {
  mailbox->push({shared_from_this(), std::move(bytes), std::move(extra), kind});
}

std::string_view CallContext::metadata(std::string_view name) const {
  return state_->headers.find(name).value_or(std::string_view());
}

bool CallContext::has_metadata(std::string_view name) const {
  return state_->headers.find(name).has_value();
}

std::vector<std::string_view> CallContext::all_metadata(std::string_view name) const {
  return state_->headers.find_all(name);
}

std::string_view CallContext::path() const { return state_->path; }
std::string_view CallContext::peer() const { return *state_->peer; }
std::optional<MonoTime> CallContext::deadline() const { return state_->deadline; }

bool CallContext::cancelled() const { return state_->cancelled.load(std::memory_order_relaxed); }

UnaryReply& UnaryReply::operator=(UnaryReply&& other) noexcept {
  if (this != &other) {
    UnaryReply dropped;
    std::swap(dropped.state_, state_);
    std::swap(state_, other.state_);
  }
  return *this;
}

UnaryReply::~UnaryReply() {
  if (state_ != nullptr) finish(fail(Code::kUnknown, "handler dropped the call"));
}

void UnaryReply::finish(Result<SharedBytes> response) { finish(std::move(response), {}); }

void UnaryReply::finish(Result<SharedBytes> response, Metadata trailers) {
  if (state_ == nullptr || state_->finished.exchange(true)) return;
  std::unique_ptr<CommandExtra> extra;
  if (!response || !trailers.empty()) {
    extra = std::make_unique<CommandExtra>();
    if (!response) extra->status = std::move(response).error();
    extra->fields = std::move(trailers);
  }
  state_->push(CommandKind::kFinish, response ? *std::move(response) : SharedBytes(),
               std::move(extra));
}

std::size_t ServerStream::send(SharedBytes message) {
  CallState& call = *state_;
  if (call.finished.load(std::memory_order_relaxed) || cancelled()) return 0;
  const std::size_t size = message.size() + GrpcDeframer::kPrefixBytes;
  const std::size_t queued = call.queued.fetch_add(size) + size;
  // Set before the message can be written, so that its writing sees the flag and tells the sender.
  if (queued > call.high_water_bytes) call.above_high.store(true);
  call.push(CommandKind::kSend, std::move(message), nullptr);
  return queued;
}

std::size_t ServerStream::queued_bytes() const { return state_->queued.load(); }

void ServerStream::finish(Error status, Metadata trailers) {
  if (state_->finished.exchange(true)) return;
  auto extra = std::make_unique<CommandExtra>();
  extra->status = std::move(status);
  extra->fields = std::move(trailers);
  state_->push(CommandKind::kFinish, SharedBytes(), std::move(extra));
}

void ServerStream::pause_receiving(bool paused) {
  state_->push(paused ? CommandKind::kPause : CommandKind::kResume, SharedBytes(), nullptr);
}

bool ServerStream::cancelled() const { return state_->cancelled.load(std::memory_order_relaxed); }

}  // namespace truss::net
