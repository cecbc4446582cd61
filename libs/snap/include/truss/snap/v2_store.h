#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/raft/types.h"

/// The v2-store document inside a raft snapshot: since 3.0 it holds nothing but the membership, but
/// members of 3.4 to 3.6 panic on a snapshot whose document they can't recover.
/// *Thread:* any. *Source:* etcd etcdserver/api/v2store, api/membership/store.go.
namespace truss::snap {

/// One member as the document has it.
struct V2Member {
  raft::NodeId id;
  std::vector<std::string> peer_urls;
  bool is_learner = false;
  /// Name and client URLs, empty until the member has published them.
  std::string name;
  std::vector<std::string> client_urls;

  friend bool operator==(const V2Member&, const V2Member&) = default;
};

/// All that the document says about the cluster.
struct V2Membership {
  std::vector<V2Member> members;      ///< ids ascending
  std::vector<raft::NodeId> removed;  ///< ids ascending
  std::string version;                ///< "3.4.0"; empty while undecided

  friend bool operator==(const V2Membership&, const V2Membership&) = default;
};

/// The document in the shape that etcd writes: Root, WatcherHub (an empty history of 1000),
/// CurrentIndex, Stats, CurrentVersion.
std::string write_v2_store(const V2Membership& membership);

/// Reads members, removed ids and version; everything else may be absent.
/// *Errors:* kCorruption with the path inside the document: bad JSON, an id that is not hex, a
/// member without raftAttributes or with an unknown child; kFailedPrecondition for keys under any
/// top-level directory but `/0` (v2 keys or v2 auth, which are not served).
Result<V2Membership> parse_v2_store(ByteView json);

}  // namespace truss::snap
