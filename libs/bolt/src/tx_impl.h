#pragma once

#include <vector>

#include "arena.h"
#include "bucket_impl.h"
#include "freelist.h"
#include "truss/bolt/meta.h"

namespace truss::bolt {

class Database;

/// What only a write transaction has; owned by the database, used under the writer lock.
struct Writer {
  Writer(FreelistType type, std::uint64_t high_water) : freelist(type, high_water) {}
  Freelist freelist;
  Arena objects;  ///< nodes, item arrays, page images
  Arena bytes;    ///< keys and values put
};

/// A page image ready to be written.
struct DirtyPage {
  std::uint64_t id = 0;
  ByteView bytes;
};

/// Counts the phases of one commit into Options::times, if that is set.
class PhaseTimer {
 public:
  explicit PhaseTimer(const Options& options);
  /// What was done since the last phase ended, or since construction.
  void phase(DurationCounts CommitTimes::*counts);

 private:
  Clock* clock_;
  CommitTimes* times_;
  MonoTime start_;
};

struct Tx::Impl {
  Impl(Database& database, const Meta& state, int state_slot, View file_view, Writer* own_writer);
  ~Impl();

  bool writable() const { return writer != nullptr; }
  Result<> commit();
  /// Ends the transaction and gives up its place among readers, or the writer lock.
  void finish();
  /// Frees pages in this write transaction. Errors: kCorruption if the file refers to them twice.
  Result<> free(Run run);
  /// Room for `pages` pages from `id` on, to be filled and written at commit.
  char* new_page(std::uint64_t id, std::uint64_t pages);
  Result<> write_to(const std::function<Result<>(ByteView)>& sink);

  Database& db;
  Meta meta;
  int slot;
  View view;
  Writer* writer;
  Bucket::Impl root;
  bool done = false;
  bool force = false;                                  ///< commit even if nothing changed
  std::optional<Error> broken;                         ///< half-done change: commit must fail
  std::vector<std::unique_ptr<Bucket::Impl>> removed;  ///< keeps stale handles harmless
  std::vector<DirtyPage> dirty;

 private:
  Result<Meta> build(PhaseTimer& timer);
  Result<> store_freelist(Meta& next);
};

}  // namespace truss::bolt
