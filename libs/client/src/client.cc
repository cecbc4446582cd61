#include "truss/client/client.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "truss/net/io_thread.h"
#include "truss/proto/rpc.pb.h"

namespace truss::client {
namespace {

namespace pb = ::etcdserverpb;

/// A value that one thread gives and another waits for.
template <class T>
class Promise {
 public:
  void set(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    ready_.notify_one();
  }
  T wait() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return value_.has_value(); });
    return *std::move(value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
};

SharedBytes encode(const google::protobuf::MessageLite& message) {
  return SharedBytes::build(message.ByteSizeLong(), [&](char* out) {
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out));
  });
}

template <class Message>
Result<Message> decode(std::string_view method, ByteView bytes) {
  Message out;
  if (out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return out;
  return fail(Code::kInternal, std::string(method) + ": answer of " + std::to_string(bytes.size()) +
                                   " bytes doesn't decode");
}

Header header_of(const pb::ResponseHeader& header) {
  return {header.cluster_id(), header.member_id(), header.revision(), header.raft_term()};
}

std::string without_scheme(std::string endpoint) {
  constexpr std::string_view kScheme = "http://";
  if (endpoint.starts_with(kScheme)) endpoint.erase(0, kScheme.size());
  return endpoint;
}

KeyValue key_value(const mvccpb::KeyValue& kv) {
  return {kv.key(), kv.value(), kv.create_revision(), kv.mod_revision(), kv.version(), kv.lease()};
}

std::string text(ByteView bytes) { return std::string(bytes); }

/// Hands each piece of a snapshot to the sink.
class SnapshotStream final : public net::ClientStreamHandler {
 public:
  using Sink = std::function<Result<void>(const Client::SnapshotPiece&)>;
  SnapshotStream(Sink sink, Promise<Result<std::uint64_t>>& done)
      : sink_(std::move(sink)), done_(done) {}

  void attach(net::ClientStream stream) { stream_ = std::move(stream); }

  void on_message(SharedBytes message) override {
    if (failure_) return;
    const auto piece = decode<pb::SnapshotResponse>("Snapshot", message.view());
    const Result<void> taken =
        piece ? sink_({piece->blob(), piece->remaining_bytes(), piece->version()})
              : tl::unexpected(piece.error());
    if (taken) {
      bytes_ += piece->blob().size();
      return;
    }
    failure_ = taken.error();
    stream_.cancel();
  }

  void on_done(const Error& status, const net::Metadata&) override {
    if (failure_) return done_.set(tl::unexpected(*failure_));
    if (status.code != Code::kOk) return done_.set(tl::unexpected(status));
    done_.set(bytes_);
  }

 private:
  Sink sink_;
  Promise<Result<std::uint64_t>>& done_;
  net::ClientStream stream_;
  std::uint64_t bytes_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

struct Client::Impl {
  Impl(Clock& clock, std::string endpoint, ClientOptions client_options)
      : options(std::move(client_options)),
        thread("client", clock),
        channel(thread, clock, without_scheme(std::move(endpoint)), options.channel) {
    if (!options.token.empty()) metadata.emplace_back("token", options.token);
  }

  /// One unary call, from message to message.
  template <class Response>
  Result<Response> call(std::string_view path, const google::protobuf::MessageLite& request) {
    Promise<Result<SharedBytes>> answer;
    channel.unary(path, encode(request),
                  [&](Result<SharedBytes> got) { answer.set(std::move(got)); },
                  {metadata, options.timeout});
    TRUSS_ASSIGN(const SharedBytes bytes, answer.wait());
    return decode<Response>(path, bytes.view());
  }

  ClientOptions options;
  net::Metadata metadata;
  net::IoThread thread;
  net::Channel channel;
};

Client::Client(Clock& clock, std::string endpoint, ClientOptions options)
    : impl_(std::make_unique<Impl>(clock, std::move(endpoint), std::move(options))) {}

Client::~Client() = default;

Result<Header> Client::put(ByteView key, ByteView value, std::int64_t lease) {
  pb::PutRequest request;
  request.set_key(text(key));
  request.set_value(text(value));
  request.set_lease(lease);
  TRUSS_ASSIGN(const auto answer, impl_->call<pb::PutResponse>("/etcdserverpb.KV/Put", request));
  return header_of(answer.header());
}

Result<void> Client::authenticate(const std::string& user, const std::string& password) {
  pb::AuthenticateRequest request;
  request.set_name(user);
  request.set_password(password);
  TRUSS_ASSIGN(const auto answer,
               impl_->call<pb::AuthenticateResponse>("/etcdserverpb.Auth/Authenticate", request));
  impl_->metadata.emplace_back("token", answer.token());
  return {};
}

Result<std::optional<Header>> Client::put_guarded(const std::vector<GuardedPut>& puts) {
  pb::TxnRequest request;
  for (const GuardedPut& put : puts) {
    pb::Compare* guard = request.add_compare();
    guard->set_result(pb::Compare::EQUAL);
    guard->set_target(pb::Compare::MOD);
    guard->set_key(put.key);
    guard->set_mod_revision(put.mod_revision);
    pb::PutRequest* to = request.add_success()->mutable_request_put();
    to->set_key(put.key);
    to->set_value(put.value);
  }
  TRUSS_ASSIGN(const auto answer, impl_->call<pb::TxnResponse>("/etcdserverpb.KV/Txn", request));
  if (!answer.succeeded()) return std::nullopt;
  return header_of(answer.header());
}

Result<RangeResult> Client::range(ByteView key, ByteView range_end, std::int64_t limit,
                                  std::int64_t revision, bool serializable) {
  pb::RangeRequest request;
  request.set_key(text(key));
  request.set_range_end(text(range_end));
  request.set_limit(limit);
  request.set_revision(revision);
  request.set_serializable(serializable);
  TRUSS_ASSIGN(const auto answer,
               impl_->call<pb::RangeResponse>("/etcdserverpb.KV/Range", request));
  RangeResult out{header_of(answer.header()), {}, answer.count(), answer.more()};
  out.kvs.reserve(static_cast<std::size_t>(answer.kvs_size()));
  for (const auto& kv : answer.kvs()) out.kvs.push_back(key_value(kv));
  return out;
}

Result<std::optional<KeyValue>> Client::get(ByteView key, bool serializable) {
  TRUSS_ASSIGN(RangeResult found, range(key, {}, 0, 0, serializable));
  if (found.kvs.empty()) return std::nullopt;
  return std::move(found.kvs.front());
}

Result<std::int64_t> Client::remove(ByteView key, ByteView range_end) {
  pb::DeleteRangeRequest request;
  request.set_key(text(key));
  request.set_range_end(text(range_end));
  TRUSS_ASSIGN(const auto answer,
               impl_->call<pb::DeleteRangeResponse>("/etcdserverpb.KV/DeleteRange", request));
  return answer.deleted();
}

Result<Header> Client::compact(std::int64_t revision, bool physical) {
  pb::CompactionRequest request;
  request.set_revision(revision);
  request.set_physical(physical);
  TRUSS_ASSIGN(const auto answer,
               impl_->call<pb::CompactionResponse>("/etcdserverpb.KV/Compact", request));
  return header_of(answer.header());
}

Result<std::int64_t> Client::grant_lease(std::int64_t ttl_seconds) {
  pb::LeaseGrantRequest request;
  request.set_ttl(ttl_seconds);
  TRUSS_ASSIGN(const auto answer,
               impl_->call<pb::LeaseGrantResponse>("/etcdserverpb.Lease/LeaseGrant", request));
  return answer.id();
}

Result<void> Client::revoke_lease(std::int64_t id) {
  pb::LeaseRevokeRequest request;
  request.set_id(id);
  TRUSS_TRY(impl_->call<pb::LeaseRevokeResponse>("/etcdserverpb.Lease/LeaseRevoke", request));
  return {};
}

Result<Status> Client::status() {
  TRUSS_ASSIGN(const auto answer, impl_->call<pb::StatusResponse>(
                                      "/etcdserverpb.Maintenance/Status", pb::StatusRequest()));
  return Status{header_of(answer.header()), answer.version(),
                answer.storageversion(),    answer.dbsize(),
                answer.dbsizeinuse(),       answer.leader(),
                answer.raftindex(),         answer.raftappliedindex(),
                answer.islearner(),         {answer.errors().begin(), answer.errors().end()}};
}

Result<HashKv> Client::hash_kv(std::int64_t revision) {
  pb::HashKVRequest request;
  request.set_revision(revision);
  TRUSS_ASSIGN(const auto answer,
               impl_->call<pb::HashKVResponse>("/etcdserverpb.Maintenance/HashKV", request));
  return HashKv{header_of(answer.header()), answer.hash(), answer.compact_revision(),
                answer.hash_revision()};
}

Result<std::vector<Member>> Client::members() {
  TRUSS_ASSIGN(const auto answer, impl_->call<pb::MemberListResponse>(
                                      "/etcdserverpb.Cluster/MemberList", pb::MemberListRequest()));
  std::vector<Member> out;
  for (const auto& m : answer.members()) {
    out.push_back({m.id(),
                   m.name(),
                   {m.peerurls().begin(), m.peerurls().end()},
                   {m.clienturls().begin(), m.clienturls().end()},
                   m.islearner()});
  }
  return out;
}

Result<void> Client::defragment() {
  TRUSS_TRY(impl_->call<pb::DefragmentResponse>("/etcdserverpb.Maintenance/Defragment",
                                                pb::DefragmentRequest()));
  return {};
}

Result<std::uint64_t> Client::snapshot(std::function<Result<void>(const SnapshotPiece&)> sink) {
  Promise<Result<std::uint64_t>> done;
  const auto handler = std::make_shared<SnapshotStream>(std::move(sink), done);
  net::ClientStream stream = impl_->channel.open("/etcdserverpb.Maintenance/Snapshot", handler,
                                                 {impl_->metadata, std::nullopt});
  handler->attach(stream);
  stream.send(encode(pb::SnapshotRequest()));
  stream.half_close();
  return done.wait();
}

}  // namespace truss::client
