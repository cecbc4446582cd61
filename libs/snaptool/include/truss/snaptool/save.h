#pragma once

#include <cstdint>
#include <string>

#include "truss/snap/image.h"
#include "truss/snaptool/db_file.h"
#include "truss/snaptool/endpoint.h"

namespace truss::snaptool {

struct SaveOptions {
  Endpoint from;
  std::string path;           ///< of the snapshot file; an older one there is replaced
  std::uint64_t retries = 0;  ///< of a transfer that broke off
  unsigned threads = 1;       ///< 1: hash and write where the bytes come in
};

struct Saved {
  std::uint64_t image_bytes = 0;
  snap::ImageHash hash{};
  std::string version;       ///< of the member's storage, from 3.6 on
  std::uint64_t broken = 0;  ///< transfers that broke off before
};

/// Streams a member's db into a snapshot file. The SHA-256 is computed as the bytes come and
/// compared with the one that the member sends last; only then the file gets its name. A transfer
/// that broke off leaves nothing; it starts over, since the protocol knows no offset and the
/// member's next snapshot is of a later moment.
/// *Errors:* those of the member; kCorruption if the SHA-256 differs or is missing; I/O.
/// *Durability:* file and name are on disk when it returns.
/// *Source:* etcd clientv3/snapshot/v3_snapshot.go Save.
Result<Saved> save(FileSystem& fs, Clock& clock, const SaveOptions& options,
                   const Progress& progress = {});

}  // namespace truss::snaptool
