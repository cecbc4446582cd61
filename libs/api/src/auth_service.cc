#include "auth_service.h"

#include "api_errors.h"

namespace truss::api {
namespace {

std::string path_of(const char* name) { return std::string("/etcdserverpb.Auth/") + name; }

void add_unsupported(MethodTable& table, const char* name) {
  table.add_unary(path_of(name), [name](const CallInfo&, SharedBytes, Done done) {
    done(fail(Code::kUnimplemented,
              std::string("etcdserver: this member does not support Auth.") + name + " yet"));
  });
}

}  // namespace

void AuthService::register_methods(MethodTable& table) {
  table.add_unary(path_of("Authenticate"), [](const CallInfo&, SharedBytes, Done done) {
    done(Unexpected(errors::auth_not_enabled()));
  });
  for (const char* name :
       {"AuthEnable", "AuthDisable", "UserAdd", "UserGet", "UserList", "UserDelete",
        "UserChangePassword", "UserGrantRole", "UserRevokeRole", "RoleAdd", "RoleGet", "RoleList",
        "RoleDelete", "RoleGrantPermission", "RoleRevokePermission"}) {
    add_unsupported(table, name);
  }
  if (context_.level() >= server::CompatLevel::k35) add_unsupported(table, "AuthStatus");
}

}  // namespace truss::api
