#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/peer/gather.h"
#include "truss/raft/codec.h"

/// Format: the msgapp stream ("msgappv2") is a row of frames, all integers big-endian:
///
///     0                                                          link heartbeat
///     1 | u64 n | n x ( u64 length | raftpb.Entry ) | u64 commit   follows the frame before it
///     2 | u64 length | raftpb.Message                              any append
///
/// Both ends keep (term, index) per connection, from (0, 0): a type 1 frame starts there.
/// *Source:* etcd rafthttp/msgappv2_codec.go.
namespace truss::peer {

/// Where the next type 1 frame starts.
struct MsgAppCursor {
  raft::Term term;
  raft::Index index;

  /// After a type 2 frame of `message`.
  void follow(const raft::Message& message);
  friend bool operator==(const MsgAppCursor&, const MsgAppCursor&) = default;
};

/// The sender's half of one connection. Thread: one.
class MsgAppWriter {
 public:
  explicit MsgAppWriter(raft::MessageForm form) : form_(form) {}
  /// Appends the frame of a MsgApp. Type 1 keeps only entries and commit, so the message must be a
  /// plain append.
  void write(const raft::Message& append, std::string& out);
  static void write_link_heartbeat(std::string& out) { out.push_back('\0'); }

 private:
  raft::MessageForm form_;
  MsgAppCursor cursor_;
};

/// The receiver's half of one connection. Thread: one.
class MsgAppReader {
 public:
  /// \param remote  the peer at the other end, \param local  this member: both are filled into
  ///   the messages of type 1 frames
  /// \param max_frame_bytes  of one frame's messages or entries, these counted with their memory
  MsgAppReader(raft::NodeId remote, raft::NodeId local, std::uint64_t max_frame_bytes)
      : remote_(remote), local_(local), max_bytes_(max_frame_bytes) {}

  /// Takes all of `bytes` and appends the messages that are whole.
  /// *Errors:* kCorruption for an unknown frame type or what doesn't decode, kResourceExhausted for
  /// a frame above the limit; the stream can't be read any further.
  Result<> receive(ByteView bytes, std::vector<raft::Message>& messages);
  std::size_t held_bytes() const { return gather_.held_bytes(); }

 private:
  enum class State : std::uint8_t { kType, kCount, kEntrySize, kEntry, kCommit, kSize, kMessage };

  std::size_t wanted_bytes() const;
  Result<> take(ByteView part, std::vector<raft::Message>& messages);
  Result<> take_type(std::uint8_t type);
  Result<> take_entry_size(std::uint64_t size);
  Result<> take_entry(ByteView bytes);
  void take_commit(std::uint64_t commit, std::vector<raft::Message>& messages);
  Result<> take_message(ByteView bytes, std::vector<raft::Message>& messages);

  Gather gather_;
  raft::NodeId remote_;
  raft::NodeId local_;
  std::uint64_t max_bytes_;
  MsgAppCursor cursor_;
  State state_ = State::kType;
  std::uint64_t size_ = 0;          ///< of the entry or message being read
  std::uint64_t entries_left_ = 0;  ///< of the type 1 frame being read
  std::uint64_t frame_bytes_ = 0;   ///< counted against the limit
  std::vector<raft::Entry> entries_;
};

}  // namespace truss::peer
