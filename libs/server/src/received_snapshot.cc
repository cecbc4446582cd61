#include "received_snapshot.h"

#include "data_dir.h"
#include "truss/snap/snap_file.h"
#include "truss/snap/v2_store.h"

namespace truss::server {

std::string received_db_path(const std::string& snap_dir, raft::Index index) {
  return join_path(snap_dir, snap::snap_db_file_name(index));
}

Result<> check_received(FileSystem& files, const std::string& path, const raft::Snapshot& snapshot,
                        CompatLevel level) {
  const auto refuse = [&](const std::string& why) {
    return fail(Code::kFailedPrecondition, path + ": " + why);
  };
  TRUSS_ASSIGN(const auto document, snap::parse_v2_store(snapshot.data.view()));
  TRUSS_ASSIGN(const DbFacts facts, read_db_facts(files, path));
  const std::uint64_t index = facts.meta.consistent_index;
  if (index < snapshot.metadata.index.value()) {
    return refuse("its consistent index " + std::to_string(index) + " is older than its snapshot " +
                  std::to_string(snapshot.metadata.index.value()));
  }
  if (facts.auth_enabled) {
    return refuse(
        "authentication is switched on in this cluster, which this member can't enforce yet; run "
        "`etcdctl auth disable` or use etcd");
  }
  const auto version = parse_version(document.version);
  if (version && *version > version_of(level)) {
    return refuse("the cluster is of version " + document.version + ", this member presents " +
                  std::string(level_name(level)) + "; raise --compat");
  }
  return {};
}

}  // namespace truss::server
