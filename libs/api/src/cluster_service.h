#pragma once

#include "context.h"
#include "method.h"

namespace truss::api {

/// etcdserverpb.Cluster. Source: server/etcdserver/api/v3rpc/member.go.
class ClusterService {
 public:
  explicit ClusterService(Context& context) : context_(context) {}
  void register_methods(MethodTable& table);

 private:
  void add(SharedBytes request, Done done);
  void remove(SharedBytes request, Done done);
  void update(SharedBytes request, Done done);
  void list(SharedBytes request, Done done);
  void promote(SharedBytes request, Done done);

  /// Answers with a message whose field 2 is the list of members.
  template <class Response>
  server::Server::ApplyCallback answer_list(Done done);

  Context& context_;
};

}  // namespace truss::api
