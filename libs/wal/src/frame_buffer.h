#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/bytes.h"
#include "truss/common/file_system.h"
#include "truss/raft/types.h"
#include "truss/wal/record.h"

namespace truss::wal {

/// Encodes records into frames and keeps them until they are written, in one vectored write. Bulky
/// entry payloads are referenced, not copied. Carries the rolling CRC along.
class FrameBuffer {
 public:
  explicit FrameBuffer(std::uint32_t crc = 0) : crc_(crc) {}

  void add(RecordType type, ByteView data);
  void add_entry(const raft::Entry& entry);
  /// The record that begins a segment: the rolling CRC as it stands.
  void add_crc();

  std::uint32_t crc() const { return crc_; }
  std::uint64_t bytes() const { return own_.size() + shared_bytes_; }
  bool empty() const { return own_.empty(); }

  /// Writes all frames at `offset` and empties the buffer. On failure the buffer is spent too.
  Result<> write_to(File& file, std::uint64_t offset);

 private:
  /// A payload that comes after the first `position` bytes of `own_`.
  struct Shared {
    std::size_t position = 0;
    SharedBytes payload;
  };

  void add_head(RecordType type, std::uint64_t data_bytes);
  void add_padding(std::uint64_t record_bytes);
  std::vector<ByteView> pieces() const;

  std::uint32_t crc_;
  std::string own_;
  std::vector<Shared> shared_;
  std::uint64_t shared_bytes_ = 0;
  std::uint64_t record_bytes_ = 0;  ///< of the record that add_head() has begun
};

}  // namespace truss::wal
