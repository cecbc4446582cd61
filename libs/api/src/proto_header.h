#pragma once

#include "kv_codec.h"
#include "truss/proto/rpc.pb.h"

namespace truss::api {

inline void fill_header(etcdserverpb::ResponseHeader& out, const Header& header) {
  out.set_cluster_id(header.cluster_id);
  out.set_member_id(header.member_id);
  out.set_revision(header.revision);
  out.set_raft_term(header.raft_term);
}

}  // namespace truss::api
