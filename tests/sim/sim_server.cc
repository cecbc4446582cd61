#include "sim_server.h"

#include <optional>

#include "truss/common/coding.h"

namespace truss::testing {
namespace {

using server::Op;

struct Message {
  std::string bytes;
  PbWriter out{bytes};
};

std::string encode(const PutOp& op) {
  Message m;
  m.out.field_bytes(1, op.key);
  m.out.field_bytes(2, op.value);
  m.out.field_varint(3, static_cast<std::uint64_t>(op.lease));
  return m.bytes;
}

std::string encode(const DeleteOp& op) {
  Message m;
  m.out.field_bytes(1, op.key);
  m.out.field_bytes(2, op.range_end);
  return m.bytes;
}

/// Compare{result GREATER, target VERSION, key, version 0}: the key exists.
std::string encode_exists(const std::string& key) {
  Message m;
  m.out.field_varint(1, 1);
  m.out.field_bytes(3, key);
  m.out.put_varint(4, 0);
  return m.bytes;
}

std::string request_op(std::uint32_t field, const std::string& request) {
  Message m;
  m.out.put_bytes(field, request);
  return m.bytes;
}

std::string encode(const TxnOp& op) {
  Message m;
  m.out.put_bytes(1, encode_exists(op.key));
  m.out.put_bytes(2, request_op(2, encode(PutOp{op.key, op.value, 0})));
  m.out.put_bytes(2, request_op(2, encode(PutOp{op.other, op.value, 0})));
  m.out.put_bytes(3, request_op(3, encode(DeleteOp{op.other, {}})));
  return m.bytes;
}

std::string encode(const CompactOp& op) {
  Message m;
  m.out.field_varint(1, static_cast<std::uint64_t>(op.revision));
  return m.bytes;
}

struct Send {
  server::Server& server;
  server::Server::ApplyCallback done;

  void operator()(const PutOp& op) { server.propose(Op::kPut, encode(op), std::move(done)); }
  void operator()(const DeleteOp& op) {
    server.propose(Op::kDeleteRange, encode(op), std::move(done));
  }
  void operator()(const TxnOp& op) { server.propose(Op::kTxn, encode(op), std::move(done)); }
  void operator()(const CompactOp& op) {
    server.propose(Op::kCompaction, encode(op), std::move(done));
  }
  void operator()(const GrantOp& op) { server.lease_grant(op.lease, 1'000'000, std::move(done)); }
  void operator()(const RevokeOp& op) { server.lease_revoke(op.lease, std::move(done)); }
};

}  // namespace

server::Config sim_config() {
  server::Config config;
  config.name = "sim";
  config.data_dir = "/data/member";
  config.compat = server::CompatLevel::k36;
  config.wal_segment_bytes = 16 << 10;
  config.snapshot_count = 40;
  config.snapshot_catch_up_entries = 10;
  config.max_wal_files = 2;
  config.max_snap_files = 2;
  config.purge_interval = std::chrono::milliseconds(300);
  config.purge_pause = {};  // removals follow each other at once: a crash falls between them
  config.backend_map_populate = false;
  config.backend_initial_mmap_bytes = 32 << 20;
  config.compaction_batch_limit = 7;
  return config;
}

SimServer::SimServer(SimFileSystem& disk, std::uint64_t seed, server::Config config)
    : files_(disk.mount()),
      world_(seed),
      random_(world_.random("server")),
      logger_(LogLevel::kWarn),
      member_(world_, "member"),
      config_(std::move(config)) {}

SimServer::~SimServer() { kill(); }

void SimServer::kill() {
  files_->unmount();
  member_.kill();
  if (server_) member_.call([this] { server_->stop(); });  // unwinds, as far as a dead one can
  server_.reset();
}

void SimServer::stop() {
  member_.call([this] { server_->stop(); });
  server_.reset();
}

server::Environment SimServer::environment() {
  return {member_, *files_, random_, logger_, member_.process(), transport_};
}

std::string SimServer::start() {
  std::string problem;
  const auto ready = std::make_shared<bool>(false);
  const bool lives = member_.call([&] {
    auto started = server::Server::start(config_, environment());
    if (!started) {
      problem = "start: " + started.error().message;
      return;
    }
    server_ = *std::move(started);
    server_->on_ready([ready] { *ready = true; });
  });
  if (!lives) return "died at start: " + death();
  if (!problem.empty()) return problem;
  const auto ran = run_until([&] { return *ready; });
  return ran ? "" : "never ready: " + ran.error().message;
}

Result<> SimServer::run_until(const std::function<bool()>& done) {
  world_.run_until([&] { return done() || !alive(); }, std::chrono::minutes(1));
  if (done()) return {};
  if (!alive()) return fail(Code::kAborted, "died: " + death());
  return fail(Code::kDeadlineExceeded, "nothing happened for a minute");
}

void SimServer::send(const KvOp& op, std::function<void(Result<std::int64_t>)> done) {
  auto answer = [done = std::move(done)](Result<server::ApplyResponse> response) {
    if (response) return done(response->revision);
    done(tl::unexpected(std::move(response).error()));
  };
  std::visit(Send{*server_, std::move(answer)}, op);
}

Result<std::int64_t> SimServer::call(const KvOp& op) {
  std::shared_ptr<std::optional<Result<std::int64_t>>> answer =
      std::make_shared<std::optional<Result<std::int64_t>>>();
  send(op, [answer](Result<std::int64_t> revision) { *answer = std::move(revision); });
  TRUSS_TRY(run_until([&] { return answer->has_value(); }));
  return **answer;
}

Result<KvModel> SimServer::read_all() {
  const auto settled = std::make_shared<std::optional<Result<>>>();
  server_->linearizable_read_notify([settled](Result<> result) { *settled = std::move(result); });
  TRUSS_TRY(run_until([&] { return settled->has_value(); }));
  TRUSS_TRY(**settled);
  mvcc::RangeRequest everything;
  everything.key = everything.range_end = ByteView("\0", 1);
  TRUSS_ASSIGN(const auto range, server_->store().range(everything));
  std::map<std::string, ModelKey> keys;
  for (const auto& kv : range.kvs) {
    keys.emplace(kv->key, ModelKey{std::string(kv->value), kv->create_revision, kv->mod_revision,
                                   kv->version, kv->lease});
  }
  std::set<std::int64_t> leases;
  for (const auto id : server_->lessor().leases()) leases.insert(static_cast<std::int64_t>(id));
  return KvModel(range.revision, std::move(keys), std::move(leases));
}

}  // namespace truss::testing
