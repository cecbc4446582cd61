#pragma once

#include <optional>

#include "truss/raft/types.h"
#include "truss/wal/file_window.h"
#include "truss/wal/record.h"

namespace truss::waltool {

using wal::FileWindow;

/// What is read of a segment at once.
/// Small enough to stay in a processor's own cache.
inline constexpr std::uint64_t kWindowBytes = 256 << 10;

/// One frame of a segment that decodes as a record; whether its CRC is right is another matter.
struct Frame {
  std::uint64_t offset = 0;
  std::uint64_t end = 0;  ///< offset of the next one
  wal::Record record;
};

/// Why there is no frame.
enum class NoFrame : std::uint8_t { kZeroLength, kEndOfFile, kCutShort, kTooLong, kMalformed };

struct FrameOrNot {
  std::optional<Frame> frame;
  NoFrame why{};
  std::uint64_t end = 0;  ///< where the frame ends if its length is right; 0: not known
};

/// The frame at `offset`. Views live until the window's next call. *Errors:* I/O.
Result<FrameOrNot> read_frame(FileWindow& window, std::uint64_t offset);

/// The running CRC after `record` if `seed` was it before.
std::uint32_t crc_after(const wal::Record& record, std::uint32_t seed);

/// An entry without a copy of its payload. nullopt if malformed.
struct EntryHead {
  raft::EntryType type{};
  raft::Term term{};
  raft::Index index{};
};
struct EntryView {
  EntryHead head;
  ByteView data;
};
std::optional<EntryView> peek_entry(ByteView bytes);

}  // namespace truss::waltool
