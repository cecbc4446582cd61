#include "truss/net/server.h"

#include <absl/container/flat_hash_set.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "connection.h"
#include "grpc_server_session.h"
#include "http1_server_session.h"
#include "io_thread_impl.h"
#include "listener.h"
#include "service_table.h"
#include "truss/common/check.h"
#include "truss/net/protocol_sniffer.h"

namespace truss::net {
namespace {

/// One net thread and the connections that live on it.
struct Worker {
  Worker(const std::string& name, Clock& clock, Turns* turns)
      : own(std::make_unique<IoThread>(name, clock, turns)), thread(*own) {}
  explicit Worker(IoThread& shared) : thread(shared) {}
  absl::flat_hash_set<std::shared_ptr<Connection>> connections;  ///< net thread only
  std::unique_ptr<IoThread> own;  ///< null: somebody else's; joined before the rest goes
  IoThread& thread;
};

struct Port {
  BoundSocket socket;
  Protocols protocols = Protocols::kBoth;
  std::shared_ptr<Listener> listener;  ///< first worker's thread
};

}  // namespace

struct Server::Impl {
  Impl(ServerOptions server_options, Clock& server_clock, Logger& server_logger,
       Turns* server_turns)
      : options(std::move(server_options)),
        clock(server_clock),
        logger(server_logger),
        turns(server_turns) {}

  void accepted(int fd, Protocols protocols);
  void adopt(Worker& worker, int fd, Protocols protocols);
  ConnectionHooks::Choice choose(Worker& worker, Protocols protocols, const std::string& peer,
                                 ByteView start, SessionOwner& owner);
  void forget(Worker& worker, const std::shared_ptr<Connection>& connection);
  void stop_listening();
  void close_connections();
  /// Runs `body` on a worker's thread and waits for it.
  template <class Body>
  static void run_on(Worker& worker, Body body);

  ServerOptions options;  ///< constant from start() on
  Clock& clock;
  Logger& logger;
  Turns* const turns;
  IoThread* shared_thread = nullptr;
  ServiceTable table;
  std::vector<Port> ports;
  std::vector<std::unique_ptr<Worker>> workers;
  std::size_t next_worker = 0;  ///< first worker's thread
  bool started = false;
  bool stopped = false;

  std::atomic<std::size_t> connection_count{0};
  std::mutex idle_mutex;
  std::condition_variable idle;
};

template <class Body>
void Server::Impl::run_on(Worker& worker, Body body) {
  std::mutex mutex;
  std::condition_variable done;
  bool ran = false;
  worker.thread.post([&] {
    body();
    const std::lock_guard lock(mutex);
    ran = true;
    done.notify_one();
  });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return ran; });
}

void Server::Impl::accepted(int fd, Protocols protocols) {
  if (options.max_connections > 0 && connection_count.load() >= options.max_connections) {
    ::close(fd);
    return;
  }
  connection_count.fetch_add(1);
  Worker& worker = *workers[next_worker++ % workers.size()];
  if (worker.thread.is_current()) return adopt(worker, fd, protocols);
  worker.thread.post([this, &worker, fd, protocols] { adopt(worker, fd, protocols); });
}

void Server::Impl::adopt(Worker& worker, int fd, Protocols protocols) {
  ConnectionHooks hooks;
  hooks.first_byte_timeout = options.handshake_timeout;
  if (options.http_read_timeout > Duration::zero()) {
    hooks.first_byte_timeout = std::min(hooks.first_byte_timeout, options.http_read_timeout);
  }
  if (options.unsent_kernel_bytes > 0) limit_unsent(fd, options.unsent_kernel_bytes);
  hooks.choose = [this, &worker, protocols, peer = peer_name(fd)](ByteView start,
                                                                  SessionOwner& owner) {
    return choose(worker, protocols, peer, start, owner);
  };
  auto connection = std::make_shared<Connection>(worker.thread.impl(), fd);
  hooks.closed = [this, &worker, weak = std::weak_ptr(connection)] { forget(worker, weak.lock()); };
  connection->set_hooks(std::move(hooks));
  worker.connections.insert(connection);
  connection->start(nullptr);
}

ConnectionHooks::Choice Server::Impl::choose(Worker& worker, Protocols protocols,
                                             const std::string& peer, ByteView start,
                                             SessionOwner& owner) {
  Sniffed sniffed = Sniffed::kHttp1;  // who has no choice is told what is wrong with the request
  if (protocols == Protocols::kGrpcOnly) sniffed = Sniffed::kHttp2;
  if (protocols == Protocols::kBoth) sniffed = sniff_protocol(start);
  if (sniffed == Sniffed::kNeedMore) return {false, nullptr};
  const auto mailbox = worker.thread.impl().shared_from_this();
  if (sniffed == Sniffed::kHttp2) {
    return {true, std::make_unique<GrpcServerSession>(table, options, clock, mailbox, peer, owner)};
  }
  if (sniffed == Sniffed::kHttp1) {
    return {true,
            std::make_unique<Http1ServerSession>(table, options, clock, mailbox, peer, owner)};
  }
  return {true, nullptr};
}

void Server::Impl::forget(Worker& worker, const std::shared_ptr<Connection>& connection) {
  worker.connections.erase(connection);
  if (connection_count.fetch_sub(1) != 1) return;
  const std::lock_guard lock(idle_mutex);
  idle.notify_all();
}

void Server::Impl::stop_listening() {
  if (!started) {
    for (Port& port : ports) ::close(port.socket.fd);
  } else {
    run_on(*workers.front(), [this] {
      for (Port& port : ports) port.listener->close();
    });
  }
  for (const Port& port : ports) {
    if (port.socket.address.starts_with("unix:")) ::unlink(port.socket.address.c_str() + 5);
  }
  ports.clear();
}

void Server::Impl::close_connections() {
  for (const auto& worker : workers) {
    run_on(*worker, [&] {
      const auto all = worker->connections;
      for (const auto& connection : all) connection->close({Code::kUnavailable, "server stopping"});
    });
  }
}

Server::Server(ServerOptions options, Clock& clock, Logger& logger, Turns* turns)
    : impl_(std::make_unique<Impl>(std::move(options), clock, logger, turns)) {}

Server::Server(ServerOptions options, IoThread& thread, Clock& clock, Logger& logger)
    : Server(std::move(options), clock, logger) {
  impl_->shared_thread = &thread;
}

Server::~Server() { stop(); }

void Server::add_unary(std::string path, UnaryHandler handler) {
  TRUSS_CHECK(!impl_->started);
  impl_->table.add_method(std::move(path), {std::move(handler), nullptr});
}

void Server::add_stream(std::string path, StreamFactory factory) {
  TRUSS_CHECK(!impl_->started);
  impl_->table.add_method(std::move(path), {nullptr, std::move(factory)});
}

void Server::add_http(HttpRoute route) {
  TRUSS_CHECK(!impl_->started);
  impl_->table.add_route(std::move(route));
}

void Server::set_grpc_dialect(GrpcDialect dialect) { impl_->options.grpc_dialect = dialect; }

void Server::set_http_filter(HttpFilter filter) {
  TRUSS_CHECK(!impl_->started);
  impl_->table.set_filter(std::move(filter));
}

Result<std::string> Server::listen(const ListenAddress& address) {
  TRUSS_CHECK(!impl_->started);
  TRUSS_ASSIGN(BoundSocket bound, bind_and_listen(address.address));
  std::string text = bound.address;
  impl_->ports.push_back({std::move(bound), address.protocols, nullptr});
  return text;
}

void Server::start() {
  Impl& impl = *impl_;
  TRUSS_CHECK(!impl.started && !impl.stopped);
  impl.started = true;
  if (impl.shared_thread != nullptr) {
    impl.workers.push_back(std::make_unique<Worker>(*impl.shared_thread));
  }
  const std::size_t count = std::max<std::size_t>(impl.options.io_threads, 1);
  for (std::size_t i = 0; i < count && impl.shared_thread == nullptr; ++i) {
    impl.workers.push_back(
        std::make_unique<Worker>("net-" + std::to_string(i), impl.clock, impl.turns));
  }
  Impl::run_on(*impl.workers.front(), [&impl] {
    for (Port& port : impl.ports) {
      port.listener = std::make_shared<Listener>(
          impl.workers.front()->thread.impl(), port.socket.fd, impl.logger,
          [&impl, protocols = port.protocols](int fd) { impl.accepted(fd, protocols); });
      port.listener->start();
    }
  });
}

void Server::shutdown(Duration patience) {
  Impl& impl = *impl_;
  if (!impl.started || impl.stopped) return stop();
  impl.stop_listening();
  for (const auto& worker : impl.workers) {
    Impl::run_on(*worker, [&] {
      const auto all = worker->connections;
      for (const auto& connection : all) connection->begin_shutdown();
    });
  }
  {
    std::unique_lock lock(impl.idle_mutex);
    impl.idle.wait_for(lock, patience, [&] { return impl.connection_count.load() == 0; });
  }
  stop();
}

void Server::stop() {
  Impl& impl = *impl_;
  if (std::exchange(impl.stopped, true)) return;
  impl.stop_listening();
  if (!impl.started) return;
  // Twice: a socket accepted before the listener closed may still have been on its way.
  impl.close_connections();
  impl.close_connections();
  for (const auto& worker : impl.workers) {
    if (worker->own) worker->own->stop();
  }
}

std::size_t Server::connection_count() const { return impl_->connection_count.load(); }

}  // namespace truss::net
