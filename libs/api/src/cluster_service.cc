#include "cluster_service.h"

#include "proto_bytes.h"
#include "proto_header.h"
#include "truss/api/urls.h"
#include "truss/proto/rpc.pb.h"
#include "truss/server/errors.h"

namespace truss::api {
namespace {

namespace pb = etcdserverpb;

void fill(pb::Member& out, const server::Member& member) {
  out.set_id(member.id.value());
  out.set_name(member.name);
  for (const auto& url : member.peer_urls) out.add_peerurls(url);
  for (const auto& url : member.client_urls) out.add_clienturls(url);
  out.set_islearner(member.is_learner);
}

template <class Response>
SharedBytes encode_list(const Context& context, const std::vector<server::Member>& members) {
  Response response;
  fill_header(*response.mutable_header(), context.header());
  for (const auto& member : members) fill(*response.add_members(), member);
  return serialize(response);
}

// Errors: member_bad_urls.
template <class Request>
Result<std::vector<std::string>> peer_urls_of(const Request& request) {
  std::vector<std::string> urls(request.peerurls().begin(), request.peerurls().end());
  auto normal = normalize_urls(std::move(urls));
  if (!normal) return Unexpected(server::errors::member_bad_urls());
  return normal;
}

}  // namespace

template <class Response>
server::Server::ApplyCallback ClusterService::answer_list(Done done) {
  return [this, done = std::move(done)](Result<server::ApplyResponse> applied) mutable {
    if (!applied) return done(Unexpected(std::move(applied).error()));
    done(encode_list<Response>(context_, std::get<server::MembersResult>(applied->result).members));
  };
}

void ClusterService::register_methods(MethodTable& table) {
  const auto bind = [this](void (ClusterService::*method)(SharedBytes, Done)) {
    return [this, method](const CallInfo&, SharedBytes request, Done done) {
      (this->*method)(std::move(request), std::move(done));
    };
  };
  table.add_unary("/etcdserverpb.Cluster/MemberAdd", bind(&ClusterService::add));
  table.add_unary("/etcdserverpb.Cluster/MemberRemove", bind(&ClusterService::remove));
  table.add_unary("/etcdserverpb.Cluster/MemberUpdate", bind(&ClusterService::update));
  table.add_unary("/etcdserverpb.Cluster/MemberList", bind(&ClusterService::list));
  table.add_unary("/etcdserverpb.Cluster/MemberPromote", bind(&ClusterService::promote));
}

void ClusterService::add(SharedBytes request, Done done) {
  const auto r = parse<pb::MemberAddRequest>(request.view());
  auto urls = peer_urls_of(r);
  if (!urls) return done(Unexpected(std::move(urls).error()));
  context_.server.add_member(
      *std::move(urls), r.islearner(),
      [this, done = std::move(done)](Result<server::ApplyResponse> applied) mutable {
        if (!applied) return done(Unexpected(std::move(applied).error()));
        const auto& result = std::get<server::MembersResult>(applied->result);
        pb::MemberAddResponse response;
        fill_header(*response.mutable_header(), context_.header());
        fill(*response.mutable_member(), result.changed);
        for (const auto& member : result.members) fill(*response.add_members(), member);
        done(serialize(response));
      });
}

void ClusterService::remove(SharedBytes request, Done done) {
  const auto r = parse<pb::MemberRemoveRequest>(request.view());
  context_.server.remove_member(raft::NodeId{r.id()},
                                answer_list<pb::MemberRemoveResponse>(std::move(done)));
}

void ClusterService::update(SharedBytes request, Done done) {
  const auto r = parse<pb::MemberUpdateRequest>(request.view());
  auto urls = peer_urls_of(r);
  if (!urls) return done(Unexpected(std::move(urls).error()));
  context_.server.update_member(raft::NodeId{r.id()}, *std::move(urls),
                                answer_list<pb::MemberUpdateResponse>(std::move(done)));
}

void ClusterService::list(SharedBytes request, Done done) {
  const auto r = parse<pb::MemberListRequest>(request.view());
  if (!r.linearizable() || context_.level() < server::CompatLevel::k35) {
    return done(encode_list<pb::MemberListResponse>(context_, *context_.server.members()));
  }
  context_.server.linearizable_read_notify([this, done = std::move(done)](Result<> ready) mutable {
    if (!ready) return done(Unexpected(std::move(ready).error()));
    done(encode_list<pb::MemberListResponse>(context_, *context_.server.members()));
  });
}

void ClusterService::promote(SharedBytes request, Done done) {
  const auto r = parse<pb::MemberPromoteRequest>(request.view());
  context_.server.promote_member(raft::NodeId{r.id()},
                                 answer_list<pb::MemberPromoteResponse>(std::move(done)));
}

}  // namespace truss::api
