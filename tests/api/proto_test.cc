#include <doctest/doctest.h>

#include "truss/common/bytes.h"
#include "truss/proto/raft_internal.pb.h"

using namespace truss;
namespace pb = etcdserverpb;

TEST_CASE("proto: a put entry has the bytes that etcd writes") {
  pb::InternalRaftRequest request;
  request.mutable_put()->set_key("k");
  request.mutable_put()->set_value("v");
  request.mutable_header()->set_id(0x1234);
  CHECK(to_hex(request.SerializeAsString()) ==
        "22060a016b120176"
        "a20603"
        "08b424");
}

TEST_CASE("proto: the log's operations have the numbers of etcd's oneof") {
  const auto* type = pb::InternalRaftRequest::descriptor();
  const std::pair<const char*, int> numbers[] = {{"ID", 1},
                                                 {"v2", 2},
                                                 {"range", 3},
                                                 {"put", 4},
                                                 {"delete_range", 5},
                                                 {"txn", 6},
                                                 {"compaction", 7},
                                                 {"lease_grant", 8},
                                                 {"lease_revoke", 9},
                                                 {"alarm", 10},
                                                 {"lease_checkpoint", 11},
                                                 {"header", 100},
                                                 {"auth_enable", 1000},
                                                 {"auth_disable", 1011},
                                                 {"authenticate", 1012},
                                                 {"auth_status", 1013},
                                                 {"auth_user_add", 1100},
                                                 {"auth_role_list", 1107},
                                                 {"auth_role_revoke_permission", 1204},
                                                 {"cluster_version_set", 1300},
                                                 {"cluster_member_attr_set", 1301},
                                                 {"downgrade_info_set", 1302},
                                                 {"downgrade_version_test", 9900}};
  for (const auto& [name, number] : numbers) {
    CAPTURE(name);
    const auto* field = type->FindFieldByName(name);
    REQUIRE(field != nullptr);
    CHECK(field->number() == number);
  }
}

TEST_CASE("proto: a legacy request keeps the zeros that were set") {
  pb::Request request;
  request.set_id(0);
  request.set_dir(false);
  CHECK(to_hex(request.SerializeAsString()) == "08002800");
}
