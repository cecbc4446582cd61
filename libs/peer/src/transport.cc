#include "truss/peer/transport.h"

#include <algorithm>
#include <condition_variable>
#include <functional>

#include "impl.h"
#include "routes.h"
#include "truss/common/check.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

/// What send() may have posted to a thread that does not keep up.
constexpr std::size_t kMaxWaitingMessages = 16384;
constexpr std::size_t kMaxWaitingBytes = 256u << 20;
constexpr std::size_t kMaxRemotes = 256;

/// Runs `body` on the thread and waits for it.
void run_on(net::IoThread& thread, const std::function<void()>& body) {
  if (thread.is_current()) return body();
  std::mutex mutex;
  std::condition_variable done;
  bool ran = false;
  thread.post([&] {
    body();
    const std::lock_guard lock(mutex);
    ran = true;
    done.notify_one();
  });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return ran; });
}

/// Each id once: raft need not hear it for every message.
std::vector<raft::NodeId> receivers(const std::vector<raft::Message>& messages) {
  std::vector<raft::NodeId> ids;
  for (const raft::Message& message : messages) {
    if (message.to != raft::kNoNode) ids.push_back(message.to);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

void Transport::Impl::send(std::vector<raft::Message> messages) {
  if (context->stopped) return;
  for (raft::Message& message : messages) {
    const raft::NodeId to = message.to;
    if (to == raft::kNoNode) continue;
    if (const auto known = peers.find(to); known != peers.end()) {
      Peer& peer = *known->second;
      if (std::find(touched.begin(), touched.end(), &peer) == touched.end()) {
        touched.push_back(&peer);
      }
      if (peer.push(std::move(message))) continue;
      count(peer.counts().sent_failures);
      context->report_unreachable(to);
    } else if (const auto remote = remotes.find(to); remote != remotes.end()) {
      if (remote->second->push(std::move(message))) continue;
    }
    count(context->dropped);
  }
  for (Peer* peer : touched) peer->flush();
  touched.clear();
}

void Transport::Impl::add_peer(raft::NodeId id, std::vector<std::string> peer_urls) {
  if (context->stopped || id == context->identity.self) return;
  auto& peer = peers[id];
  if (peer) return peer->update(std::move(peer_urls));
  peer = std::make_shared<Peer>(context, id, std::move(peer_urls));
  {
    const std::lock_guard lock(mutex);
    activities[id] = peer->activity();
  }
  if (serving.load()) peer->start();
}

void Transport::Impl::remove_peer(raft::NodeId id) {
  const auto found = peers.find(id);
  if (found == peers.end()) return;
  found->second->stop();
  peers.erase(found);
  const std::lock_guard lock(mutex);
  activities.erase(id);
}

void Transport::Impl::add_remote(raft::NodeId id, std::vector<std::string> peer_urls) {
  if (context->stopped || id == context->identity.self || id == raft::kNoNode) return;
  if (peers.contains(id) || remotes.contains(id) || remotes.size() >= kMaxRemotes) return;
  remotes[id] = std::make_shared<Pipeline>(
      context, id, std::make_shared<PeerUrls>(std::move(peer_urls)), nullptr);
}

void Transport::Impl::meet_stranger(const net::HttpRequest& request) {
  const auto from = parse_id(request.header("x-server-from"));
  const auto urls = parse_peer_urls(request.header("x-peerurls"));
  if (from && urls) add_remote(raft::NodeId(*from), *urls);
}

void Transport::Impl::attach(raft::NodeId from, StreamKind kind, const net::HttpRequest& request,
                             net::HttpReply reply) {
  if (context->local->is_removed(from)) {
    return refuse(reply, 410, "removed member", stream_headers(context->identity));
  }
  const auto known = peers.find(from);
  if (known == peers.end()) {
    meet_stranger(request);
    return refuse(reply, 404, "error sender not found", stream_headers(context->identity));
  }
  if (request.header("x-raft-to") != id_text(context->identity.self.value())) {
    return refuse(reply, 412, "to field mismatch", stream_headers(context->identity));
  }
  known->second->attach(kind, std::move(reply));
}

void Transport::Impl::stop() {
  for (auto& [id, peer] : peers) peer->stop();
  for (auto& [id, remote] : remotes) remote->stop();
  context->stopped = true;
  context->sink = nullptr;
  peers.clear();
  remotes.clear();
  const std::lock_guard lock(mutex);
  activities.clear();
}

Transport::Transport(net::IoThread& thread, net::IoThread& bulk, Runtime& runtime, Logger& logger,
                     Options options)
    : impl_(std::make_shared<Impl>(
          std::make_shared<Context>(thread, bulk, runtime, logger, options))) {}

Transport::~Transport() { stop(); }

void Transport::install(net::Server& server) { install_routes(server, impl_); }

void Transport::identify(Identity identity) {
  TRUSS_CHECK(parse_semver(identity.server_version).has_value(), identity.server_version);
  run_on(impl_->context->thread, [&] { impl_->context->identity = std::move(identity); });
}

void Transport::observe(Observer& observer) {
  run_on(impl_->context->thread, [&] { impl_->context->observer = &observer; });
}

void Transport::start(Sink& sink, LocalMember& local) {
  run_on(impl_->context->thread, [&] {
    impl_->context->sink = &sink;
    impl_->context->local = &local;
    impl_->serving.store(true);
    for (auto& [id, peer] : impl_->peers) peer->start();
  });
}

void Transport::stop() {
  impl_->serving.store(false);
  run_on(impl_->context->thread, [&] { impl_->stop(); });
  impl_->context->uploads.reset();
  run_on(impl_->context->bulk, [] {});  // what was let go of there is on its way to `files`
  impl_->context->files->stop();
  impl_->context->streams.reset();
  impl_->context->requests.reset();
}

void Transport::send(std::vector<raft::Message> messages) {
  Impl& impl = *impl_;
  std::size_t bytes = 0;
  for (const raft::Message& message : messages) bytes += payload_bytes(message);
  const bool full = impl.waiting_messages.load() > kMaxWaitingMessages ||
                    impl.waiting_bytes.load() > kMaxWaitingBytes;
  if (full) {
    count(impl.context->dropped, messages.size());
    const auto ids = receivers(messages);
    return impl.post([ids](Impl& i) {
      for (const raft::NodeId id : ids) i.context->report_unreachable(id);
    });
  }
  const std::size_t number = messages.size();
  impl.waiting_messages.fetch_add(number);
  impl.waiting_bytes.fetch_add(bytes);
  impl.dispatch([messages = std::move(messages), number, bytes](Impl& i) mutable {
    i.waiting_messages.fetch_sub(number);
    i.waiting_bytes.fetch_sub(bytes);
    i.send(std::move(messages));
  });
}

void Transport::send_snapshot(raft::Message message, std::unique_ptr<SnapshotSource> db) {
  impl_->post([message = std::move(message), db = std::move(db)](Impl& i) mutable {
    const auto known = i.peers.find(message.to);
    if (known != i.peers.end()) return known->second->send_snapshot(message, std::move(db));
    i.context->report_snapshot(message.to, false);
  });
}

void Transport::add_peer(raft::NodeId id, std::vector<std::string> peer_urls) {
  impl_->post([id, urls = std::move(peer_urls)](Impl& i) { i.add_peer(id, urls); });
}

void Transport::remove_peer(raft::NodeId id) {
  impl_->post([id](Impl& i) { i.remove_peer(id); });
}

void Transport::update_peer(raft::NodeId id, std::vector<std::string> peer_urls) {
  impl_->post([id, urls = std::move(peer_urls)](Impl& i) {
    if (const auto known = i.peers.find(id); known != i.peers.end()) known->second->update(urls);
  });
}

void Transport::add_remote(raft::NodeId id, std::vector<std::string> peer_urls) {
  impl_->post([id, urls = std::move(peer_urls)](Impl& i) { i.add_remote(id, urls); });
}

std::shared_ptr<LinkCounts> Transport::Impl::counts_of(raft::NodeId id) const {
  const std::lock_guard lock(mutex);
  const auto found = activities.find(id);
  return found == activities.end() ? nullptr : found->second->shared_counts();
}

std::vector<Link> Transport::links() const {
  std::vector<Link> out;
  {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [id, activity] : impl_->activities) {
      out.push_back({id, activity->since() != MonoTime{}, activity->shared_counts()});
    }
  }
  std::sort(out.begin(), out.end(), [](const Link& a, const Link& b) { return a.peer < b.peer; });
  return out;
}

MonoTime Transport::active_since(raft::NodeId id) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->activities.find(id);
  return found == impl_->activities.end() ? MonoTime{} : found->second->since();
}

Counters Transport::counters() const {
  const Context& c = *impl_->context;
  return {c.sent.load(),     c.received.load(),       c.dropped.load(),           c.dials.load(),
          c.attached.load(), c.snapshots_sent.load(), c.snapshots_received.load()};
}

}  // namespace truss::peer
