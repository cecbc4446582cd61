#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/error.h"
#include "truss/net/channel.h"

namespace truss::client {

struct ClientOptions {
  Duration timeout = std::chrono::seconds(5);  ///< of one unary call; streams have none
  std::string token;                           ///< gRPC metadata `token`, if not empty
  net::ChannelOptions channel;
};

/// What every answer's header says of the member that gave it.
struct Header {
  std::uint64_t cluster_id = 0;
  std::uint64_t member_id = 0;
  std::int64_t revision = 0;
  std::uint64_t raft_term = 0;
};

struct KeyValue {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
  std::int64_t lease = 0;
};

struct RangeResult {
  Header header;
  std::vector<KeyValue> kvs;
  std::int64_t count = 0;  ///< of all keys in the range, whatever the limit
  bool more = false;
};

struct Status {
  Header header;
  std::string version;
  std::string storage_version;  ///< empty before 3.6
  std::int64_t db_size_bytes = 0;
  std::int64_t db_size_in_use_bytes = 0;
  std::uint64_t leader = 0;
  std::uint64_t raft_index = 0;
  std::uint64_t raft_applied_index = 0;
  bool is_learner = false;
  std::vector<std::string> errors;
};

struct HashKv {
  Header header;
  std::uint32_t hash = 0;
  std::int64_t compact_revision = 0;
  std::int64_t hash_revision = 0;  ///< 0 before 3.6
};

struct Member {
  std::uint64_t id = 0;
  std::string name;
  std::vector<std::string> peer_urls;
  std::vector<std::string> client_urls;
  bool is_learner = false;
};

/// A small blocking client of one etcd-compatible member, for tools and tests. For many calls at a
/// time use net::Channel, which is under this.
///
/// Errors of every method: the status that the server sent, with its code and text; kUnavailable
/// when the member can't be reached; kDeadlineExceeded; kInternal for an answer that doesn't
/// decode. Thread: any; a method blocks its caller until the answer is there.
class Client {
 public:
  /// `endpoint`: `127.0.0.1:2379`, `http://127.0.0.1:2379` or `unix:/path`. Connects on first use.
  Client(Clock& clock, std::string endpoint, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Logs in; later calls carry the token. Before any other call.
  Result<void> authenticate(const std::string& user, const std::string& password);

  Result<Header> put(ByteView key, ByteView value, std::int64_t lease = 0);
  /// One key; nullopt if it isn't there.
  Result<std::optional<KeyValue>> get(ByteView key, bool serializable = false);
  /// Keys of [key, range_end); `limit` 0: all; `revision` 0: the latest.
  Result<RangeResult> range(ByteView key, ByteView range_end, std::int64_t limit = 0,
                            std::int64_t revision = 0, bool serializable = false);
  /// Returns: how many keys were deleted. `range_end` empty: one key.
  Result<std::int64_t> remove(ByteView key, ByteView range_end = {});
  /// A put that counts only if its key still has that mod revision; 0: if there is no such key.
  struct GuardedPut {
    std::string key;
    std::string value;
    std::int64_t mod_revision = 0;
  };
  /// All of them in one transaction; nullopt, and nothing done, if a guard didn't hold.
  Result<std::optional<Header>> put_guarded(const std::vector<GuardedPut>& puts);
  Result<Header> compact(std::int64_t revision, bool physical);
  /// Returns: the lease's id.
  Result<std::int64_t> grant_lease(std::int64_t ttl_seconds);
  Result<void> revoke_lease(std::int64_t id);

  Result<Status> status();
  Result<HashKv> hash_kv(std::int64_t revision = 0);
  Result<std::vector<Member>> members();
  Result<void> defragment();

  /// One piece of a snapshot, in order; the last ends with 32 bytes of SHA-256 of all before.
  struct SnapshotPiece {
    ByteView bytes;
    std::uint64_t remaining_bytes = 0;
    std::string_view version;  ///< of the server's storage, from 3.6
  };
  /// Streams the member's database to `sink`, called on the net thread; the server waits while it
  /// writes. An error of the sink ends the call with it.
  /// Returns: bytes in all pieces.
  Result<std::uint64_t> snapshot(std::function<Result<void>(const SnapshotPiece&)> sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace truss::client
