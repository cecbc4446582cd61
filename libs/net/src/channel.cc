#include "truss/net/channel.h"

#include <cstring>

#include "connection.h"
#include "grpc_client_session.h"
#include "listener.h"
#include "run_and_wait.h"

namespace truss::net {

/// Lives on: the net thread, but for its construction.
struct Channel::Impl : std::enable_shared_from_this<Channel::Impl> {
  Impl(IoThread::Impl& loop, Clock& channel_clock, std::string where,
       ChannelOptions channel_options)
      : thread(loop),
        clock(channel_clock),
        address(std::move(where)),
        options(std::move(channel_options)) {}

  std::shared_ptr<ClientCall> make_call(std::string_view path, const CallOptions& call_options);
  Result<void> connect();
  void start(const std::shared_ptr<ClientCall>& call, bool half_close);
  void close();

  IoThread::Impl& thread;
  Clock& clock;
  const std::string address;
  const ChannelOptions options;
  std::shared_ptr<Connection> connection;  ///< the one that takes new calls
  GrpcClientSession* session = nullptr;    ///< on `connection`
  bool closed = false;
};

std::shared_ptr<ClientCall> Channel::Impl::make_call(std::string_view path,
                                                     const CallOptions& call_options) {
  auto call = std::make_shared<ClientCall>(thread, options.max_receive_message_bytes,
                                           options.stream_high_water);
  call->path = path;
  call->options = call_options;
  return call;
}

Result<void> Channel::Impl::connect() {
  TRUSS_ASSIGN(const int fd, start_connect(address));
  auto fresh = std::make_shared<Connection>(thread, fd);
  ConnectionHooks hooks;
  hooks.closed = [self = shared_from_this(), raw = fresh.get()] {
    if (self->connection.get() != raw) return;
    self->session = nullptr;
    self->connection.reset();
  };
  fresh->set_hooks(std::move(hooks));
  const std::string authority = address.starts_with("unix:") ? "localhost" : address;
  auto made = std::make_unique<GrpcClientSession>(options, clock, authority, *fresh);
  session = made.get();
  connection = fresh;
  fresh->start(std::move(made));
  return {};
}

void Channel::Impl::start(const std::shared_ptr<ClientCall>& call, bool half_close) {
  if (session != nullptr && session->draining()) {
    // The old connection ends by itself when its calls are done.
    session = nullptr;
    connection.reset();
  }
  Result<void> connected;
  if (closed) {
    connected = fail(Code::kUnavailable, "channel to " + address + " is closed");
  } else if (session == nullptr) {
    connected = connect();
  }
  if (connected) return session->start(call, half_close);
  thread.post([call, error = connected.error()] {
    call->over.store(true);
    if (call->handler) return call->handler->on_done(error, {});
    call->done(tl::unexpected(error));
  });
}

void Channel::Impl::close() {
  closed = true;
  session = nullptr;
  if (const auto last = std::move(connection)) last->close({Code::kUnavailable, "channel closed"});
}

Channel::Channel(IoThread& thread, Clock& clock, std::string address, ChannelOptions options)
    : impl_(std::make_shared<Impl>(thread.impl(), clock, std::move(address), std::move(options))) {}

Channel::~Channel() {
  run_and_wait(impl_->thread, [this] { impl_->close(); });
}

void Channel::unary(std::string_view path, SharedBytes request, Done done,
                    const CallOptions& options) {
  auto call = impl_->make_call(path, options);
  call->out().push(std::move(request));
  call->queued.store(call->out().size_bytes());
  call->done = std::move(done);
  if (impl_->thread.is_current()) return impl_->start(call, true);
  impl_->thread.post([impl = impl_, call = std::move(call)] { impl->start(call, true); });
}

ClientStream Channel::open(std::string_view path, std::shared_ptr<ClientStreamHandler> handler,
                           const CallOptions& options) {
  auto call = impl_->make_call(path, options);
  call->handler = std::move(handler);
  impl_->thread.post([impl = impl_, call] { impl->start(call, false); });
  return ClientStream(std::move(call));
}

std::size_t ClientStream::send(SharedBytes message) {
  if (call_->over.load()) return 0;
  const std::size_t size = message.size() + GrpcDeframer::kPrefixBytes;
  const std::size_t queued = call_->queued.fetch_add(size) + size;
  if (queued > call_->high_water_bytes) call_->above_high.store(true);
  call_->thread.post([call = call_, message = std::move(message)]() mutable {
    if (call->session != nullptr) call->session->send(*call, std::move(message));
  });
  return queued;
}

void ClientStream::half_close() {
  call_->thread.post([call = call_] {
    if (call->session != nullptr) call->session->half_close(*call);
  });
}

void ClientStream::cancel() {
  call_->thread.post([call = call_] {
    if (call->session != nullptr) {
      call->session->cancel(*call, {Code::kCanceled, "context canceled"});
    }
  });
}

}  // namespace truss::net
