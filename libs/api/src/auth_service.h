#pragma once

#include "context.h"
#include "method.h"

namespace truss::api {

/// etcdserverpb.Auth of a member whose auth is off (a directory with auth on is refused at start).
/// Authenticate answers as etcd does then; what would read or change users and roles answers
/// UNIMPLEMENTED.
class AuthService {
 public:
  explicit AuthService(Context& context) : context_(context) {}
  void register_methods(MethodTable& table);

 private:
  Context& context_;
};

}  // namespace truss::api
