#include "auth_service.h"

#include "api_errors.h"

namespace truss::api {

void AuthService::register_methods(MethodTable& table) {
  const std::string prefix = "/etcdserverpb.Auth/";
  table.add_unary(prefix + "Authenticate", [](const CallInfo&, SharedBytes, Done done) {
    done(Unexpected(errors::auth_not_enabled()));
  });
  for (const char* name :
       {"AuthEnable", "AuthDisable", "UserAdd", "UserGet", "UserList", "UserDelete",
        "UserChangePassword", "UserGrantRole", "UserRevokeRole", "RoleAdd", "RoleGet", "RoleList",
        "RoleDelete", "RoleGrantPermission", "RoleRevokePermission"}) {
    table.add_unary(prefix + name, [name](const CallInfo&, SharedBytes, Done done) {
      done(fail(Code::kUnimplemented,
                std::string("etcdserver: this member does not support Auth.") + name + " yet"));
    });
  }
}

}  // namespace truss::api
