#include "maintenance_service.h"

#include "proto_bytes.h"
#include "proto_header.h"
#include "snapshot_stream.h"
#include "truss/mvcc/store.h"

namespace truss::api {
namespace {

namespace pb = etcdserverpb;

SharedBytes encode_alarms(const Context& context, const server::ApplyResponse& applied) {
  pb::AlarmResponse response;
  // 3.4.23 sends no header here.
  if (context.level() > server::CompatLevel::k34) {
    fill_header(*response.mutable_header(), context.header(applied.revision));
  }
  if (const auto* result = std::get_if<server::AlarmResult>(&applied.result)) {
    for (const auto& alarm : result->alarms) {
      auto& out = *response.add_alarms();
      out.set_memberid(alarm.member.value());
      out.set_alarm(static_cast<pb::AlarmType>(alarm.alarm));
    }
  }
  return serialize(response);
}

}  // namespace

void MaintenanceService::register_methods(MethodTable& table) {
  const std::string prefix = "/etcdserverpb.Maintenance/";
  table.add_unary(prefix + "Status",
                  [this](const CallInfo&, SharedBytes, Done done) { status(std::move(done)); });
  table.allow_learner(prefix + "Status");
  table.add_unary(prefix + "Alarm", [this](const CallInfo&, SharedBytes request, Done done) {
    alarm(std::move(request), std::move(done));
  });
  table.add_unary(prefix + "Defragment",
                  [this](const CallInfo&, SharedBytes, Done done) { defragment(std::move(done)); });
  table.add_unary(prefix + "Hash",
                  [this](const CallInfo&, SharedBytes, Done done) { hash(std::move(done)); });
  table.add_unary(prefix + "HashKV", [this](const CallInfo&, SharedBytes request, Done done) {
    hash_kv(std::move(request), std::move(done));
  });
  table.add_unary(prefix + "MoveLeader", [this](const CallInfo&, SharedBytes request, Done done) {
    move_leader(std::move(request), std::move(done));
  });
  if (context_.level() >= server::CompatLevel::k35) {
    table.add_unary(prefix + "Downgrade", [this](const CallInfo&, SharedBytes request, Done done) {
      downgrade(std::move(request), std::move(done));
    });
  }
  table.add_stream(prefix + "Snapshot", [this](const CallInfo&, std::shared_ptr<StreamPort> port) {
    return open_snapshot_stream(context_, std::move(port));
  });
  table.allow_learner(prefix + "Snapshot");
}

void MaintenanceService::status(Done done) {
  const server::Status status = context_.server.status();
  pb::StatusResponse response;
  fill_header(*response.mutable_header(),
              context_.header(context_.server.store().current_revision()));
  response.set_version(status.version);
  response.set_dbsize(status.db_size_bytes);
  response.set_leader(status.leader.value());
  response.set_raftindex(status.committed.value());
  response.set_raftterm(status.term.value());
  response.set_raftappliedindex(status.applied.value());
  for (const auto& error : status.errors) response.add_errors(error);
  response.set_dbsizeinuse(status.db_in_use_bytes);
  response.set_islearner(status.is_learner);
  if (context_.level() >= server::CompatLevel::k36) {
    response.set_storageversion(status.storage_version);
    response.set_dbsizequota(status.quota_bytes);
    auto& info = *response.mutable_downgradeinfo();
    info.set_enabled(status.downgrade.enabled);
    info.set_targetversion(status.downgrade.target_version);
  }
  done(serialize(response));
}

void MaintenanceService::alarm(SharedBytes request, Done done) {
  const auto r = parse<pb::AlarmRequest>(request.view());
  // Caution: real members die of these two once they are in the log, on every restart.
  if (!pb::AlarmRequest::AlarmAction_IsValid(r.action())) {
    return done(fail(Code::kInvalidArgument, "etcdserver: invalid alarm action"));
  }
  if (r.action() == pb::AlarmRequest::ACTIVATE && r.memberid() == 0 && r.alarm() == pb::NONE) {
    return done(encode_alarms(context_, {context_.server.store().current_revision(), {}}));
  }
  // Even a GET goes through the log, as in etcd.
  context_.server.propose(
      server::Op::kAlarm, request.view(),
      [this, done = std::move(done)](Result<server::ApplyResponse> applied) mutable {
        if (!applied) return done(Unexpected(std::move(applied).error()));
        done(encode_alarms(context_, *applied));
      });
}

void MaintenanceService::defragment(Done done) {
  context_.server.defragment([done = std::move(done)](Result<> result) mutable {
    if (!result) return done(Unexpected(std::move(result).error()));
    done(SharedBytes());
  });
}

void MaintenanceService::hash(Done done) {
  context_.server.hash([this, done = std::move(done)](Result<std::uint32_t> hash) mutable {
    if (!hash) return done(Unexpected(std::move(hash).error()));
    pb::HashResponse response;
    fill_header(*response.mutable_header(),
                context_.header(context_.server.store().current_revision()));
    response.set_hash(*hash);
    done(serialize(response));
  });
}

void MaintenanceService::hash_kv(SharedBytes request, Done done) {
  const auto r = parse<pb::HashKVRequest>(request.view());
  context_.server.hash_kv(
      r.revision(), [this, done = std::move(done)](Result<mvcc::HashKv> hash) mutable {
        if (!hash) return done(Unexpected(std::move(hash).error()));
        pb::HashKVResponse response;
        fill_header(*response.mutable_header(), context_.header(hash->current_revision));
        response.set_hash(hash->hash);
        response.set_compact_revision(hash->compact_revision);
        if (context_.level() >= server::CompatLevel::k36) {
          response.set_hash_revision(hash->hash_revision);
        }
        done(serialize(response));
      });
}

void MaintenanceService::downgrade(SharedBytes request, Done done) {
  const auto r = parse<pb::DowngradeRequest>(request.view());
  if (!pb::DowngradeRequest::DowngradeAction_IsValid(r.action())) {
    return done(fail(Code::kUnknown, "etcdserver: unknown method"));
  }
  context_.server.downgrade(
      server::DowngradeAction{static_cast<std::uint8_t>(r.action())}, r.version(),
      [this, done = std::move(done)](Result<std::string> version) mutable {
        if (!version) return done(Unexpected(std::move(version).error()));
        pb::DowngradeResponse response;
        fill_header(*response.mutable_header(),
                    context_.header(context_.server.store().current_revision()));
        response.set_version(*version);
        done(serialize(response));
      });
}

void MaintenanceService::move_leader(SharedBytes request, Done done) {
  const auto r = parse<pb::MoveLeaderRequest>(request.view());
  context_.server.move_leader(raft::NodeId{r.targetid()},
                              [done = std::move(done)](Result<> result) mutable {
                                if (!result) return done(Unexpected(std::move(result).error()));
                                done(SharedBytes());
                              });
}

}  // namespace truss::api
