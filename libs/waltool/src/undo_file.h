#pragma once

#include <cstdint>
#include <string>

#include "db_members.h"
#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/raft/snapshot_mark.h"
#include "truss/wal/record.h"

namespace truss::waltool {

/// What undoes a remember().
///
/// Format: text, a fact a line, `word value…`; bytes in base64 (`-`: none); at the end `crc` and
/// the CRC-32C of all lines before it.
struct UndoFile {
  wal::Identity was;
  wal::Identity now;
  std::string kept;            ///< name of the folder that the old log is put aside in
  raft::SnapshotMark base;     ///< of the `.snap` file that was added
  bool replaced_snap = false;  ///< there was one of that name, put aside as NAME.remembered
  std::uint32_t end_crc =
      0;  ///< rolling CRC at the end of the new log, as long as nobody ran on it
  DbMembers members;

  friend bool operator==(const UndoFile&, const UndoFile&) = default;
};

std::string encode_undo(const UndoFile& undo);
/// *Errors:* kCorruption.
Result<UndoFile> decode_undo(ByteView text);

}  // namespace truss::waltool
