#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/raft/types.h"

/// raftpb on the wire and on disk, without Protobuf.
///
/// Writers use the dense form of etcd 3.4 to 3.6: scalars are written even when zero, fields in
/// ascending order, so our bytes equal etcd's. Readers take any form of 3.4 to 3.7: any order,
/// absent fields (zero), unknown fields (skipped), packed and unpacked ids; a field that comes
/// twice is merged as etcd merges it.
///
/// Every `decode_*` is bounds-checked and allocates no more than a small multiple of its input.
/// *Errors* of all of them: kCorruption with one line (`raft entry: malformed protobuf`,
/// `raft message: unknown type 77`).
/// *Thread:* any. *Source:* etcd raft/raftpb/raft.proto, raft.pb.go.
namespace truss::raft {

/// Which release's shape of raftpb.Message to write; everything else is equal in 3.4 to 3.6.
enum class MessageForm : std::uint8_t {
  k34,  ///< 3.4 and 3.5: field 9 (snapshot) always, no field 13
  k36,  ///< 3.6: field 9 only with a snapshot, field 13 (vote) always
};

/// Most bytes that `write_entry_head` writes.
inline constexpr std::size_t kMaxEntryHeadBytes = 40;

/// Writes an encoded entry up to, but without, its data bytes: type, term, index and, unless data
/// is empty, tag and length of data. The encoded entry is head then `entry.data`: a writer that
/// sends both pieces never copies the payload.
/// \param p  room for kMaxEntryHeadBytes
/// \return one past the last byte written
char* write_entry_head(char* p, const Entry& entry);
/// Bytes of the encoded entry, head and data.
std::size_t encoded_size(const Entry& entry);

/// Appends the encoding to `out`.
void encode(const Entry& entry, std::string& out);
void encode(const HardState& state, std::string& out);
void encode(const ConfState& state, std::string& out);
void encode(const SnapshotMetadata& metadata, std::string& out);
void encode(const Snapshot& snapshot, std::string& out);
void encode(const ConfChange& change, std::string& out);
void encode(const ConfChangeSingle& change, std::string& out);
void encode(const ConfChangeV2& change, std::string& out);
void encode(const Message& message, MessageForm form, std::string& out);

/// The encoding as a string of its own.
template <class T>
std::string encoded(const T& value) {
  std::string out;
  encode(value, out);
  return out;
}
std::string encoded(const Message& message, MessageForm form);

/// Copies the payload once, into its own shared block. An absent and an empty payload are one.
Result<Entry> decode_entry(ByteView bytes);
Result<HardState> decode_hard_state(ByteView bytes);
Result<ConfState> decode_conf_state(ByteView bytes);
Result<SnapshotMetadata> decode_snapshot_metadata(ByteView bytes);
Result<Snapshot> decode_snapshot(ByteView bytes);
Result<ConfChange> decode_conf_change(ByteView bytes);
Result<ConfChangeV2> decode_conf_change_v2(ByteView bytes);
/// `has_snapshot` is set only by a snapshot that is not wholly empty (3.4 and 3.5 send an empty
/// one in every message). Responses nest at most two deep.
Result<Message> decode_message(ByteView bytes);

}  // namespace truss::raft
