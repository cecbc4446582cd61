#pragma once

#include <string>

#include "truss/bolt/bolt.h"
#include "truss/common/testing/sim_file_system.h"

/// What is done with a damaged file, by the corruption tests and the fuzzer: everything, and the
/// process must live, end soon, and never find a file sound that can't be read.
namespace truss::bolt::testing {

struct Walked {
  std::uint64_t pairs = 0;
  std::uint64_t bytes = 0;  ///< sum over all bytes, so that each is touched
  bool failed = false;
  bool gave_up = false;
};

/// Reads all pairs of a bucket and of those inside it, up to a budget.
inline void walk(Cursor cursor, const std::function<Result<std::optional<Bucket>>(ByteView)>& open,
                 int depth, Walked& out) {
  auto kv = cursor.first();
  for (; kv && *kv; kv = cursor.next()) {
    if (++out.pairs > 200000 || depth > 100) {
      out.gave_up = true;
      return;
    }
    for (const char c : (*kv)->key) out.bytes += static_cast<unsigned char>(c);
    for (const char c : (*kv)->value) out.bytes += static_cast<unsigned char>(c);
    if (!(*kv)->is_bucket) continue;
    const auto nested = open((*kv)->key);
    if (!nested || !*nested) {
      out.failed = true;
      continue;
    }
    Bucket bucket = **nested;
    walk(
        bucket.cursor(), [&](ByteView name) { return bucket.bucket(name); }, depth + 1, out);
    if (out.gave_up) return;
  }
  if (!kv) out.failed = true;
}

inline Walked walk(Tx& tx) {
  Walked out;
  walk(
      tx.cursor(), [&](ByteView name) { return tx.bucket(name); }, 0, out);
  return out;
}

/// Puts, removes and drops in the first buckets, then commits. Errors are fine.
inline void change(DB& db, std::uint64_t seed) {
  auto tx = db.begin_write();
  if (!tx) return;
  SeededRandom random(seed);
  Cursor top = tx->cursor();
  auto kv = top.first();
  for (int n = 0; n < 4 && kv && *kv; ++n, kv = top.next()) {
    if (!(*kv)->is_bucket) continue;
    const std::string name((*kv)->key);
    if (random.below(4) == 0) {
      static_cast<void>(tx->remove_bucket(name));
      continue;
    }
    auto bucket = tx->bucket(name);
    if (!bucket || !*bucket) continue;
    Cursor pairs = (*bucket)->cursor();
    auto pair = pairs.first();
    for (int i = 0; i < 50 && pair && *pair; ++i, pair = pairs.next()) {
      if (random.below(2) == 0) static_cast<void>(pairs.remove());
    }
    for (int i = 0; i < 20; ++i) {
      static_cast<void>((*bucket)->put(std::to_string(random.next()), std::string(i * 20, 'x')));
    }
  }
  static_cast<void>(tx->commit());
}

/// Opens `image` read-only and read-write, checks, walks and changes it. Gives the sentence that
/// says what is wrong, empty if nothing.
inline std::string exercise(ByteView image, std::uint64_t seed = 1) {
  truss::testing::SimFileSystem fs;
  {
    auto file = fs.open("/db", {.write = true, .create = true});
    if (!file || !(*file)->pwrite(image, 0)) return "the simulated disk failed";
  }
  bool sound = false;
  if (auto db = DB::open(fs, "/db", {.read_only = true})) {
    const auto faults = (*db)->check([](const std::string&) {});
    auto tx = (*db)->begin_read();
    if (!tx) return "begin_read failed: " + tx.error().message;
    const Walked walked = walk(*tx);
    sound = faults && *faults == 0;
    if (sound && walked.failed) return "check finds nothing, but a walk fails";
    if (sound && walked.gave_up) return "check finds nothing, but a walk has no end";
  }
  for (const bool unsynced : {true, false}) {
    const auto copy = fs.clone();
    auto db = DB::open(*copy, "/db", {.no_freelist_sync = unsynced});
    if (!db && sound) return "check finds nothing, but it can't be opened: " + db.error().message;
    if (!db) continue;
    change(**db, seed);
    const auto faults = (*db)->check([](const std::string&) {});
    if (sound && !faults) return "a sound file can't be checked after a change";
    if (sound && *faults > 0) return "a sound file was damaged by a change";
  }
  return {};
}

}  // namespace truss::bolt::testing
