#include "backend_impl.h"

namespace truss::mvcc {
namespace {

constexpr std::uint64_t kCopyBatch = 10'000;  // keys of one transaction

/// A name beside the db that is not taken.
std::string spare_path(FileSystem& fs, const std::string& db) {
  for (std::uint64_t n = 1;; ++n) {
    std::string path = join_path(parent_path(db), "db.tmp." + std::to_string(n));
    if (!exists(fs, path)) return path;
  }
}

Result<> sync_file(FileSystem& fs, const std::string& path) {
  TRUSS_ASSIGN(const auto file, fs.open(path, {.write = true}));
  return file->sync();
}

/// Sets the flag while it lives.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag_ = false; }

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

Result<> Backend::Impl::copy_bucket(bolt::DB& target, ByteView name, const bolt::Bucket& source) {
  auto cursor = source.cursor();
  TRUSS_ASSIGN(auto pair, cursor.first());
  do {
    TRUSS_ASSIGN(auto tx, target.begin_write());
    TRUSS_ASSIGN(auto bucket, tx.create_bucket_if_absent(name));
    bucket.set_fill_percent(0.9);
    for (std::uint64_t n = 0; pair && n < kCopyBatch; ++n) {
      if (pair->is_bucket)
        return fail(Code::kUnimplemented,
                    "nested bucket " + quoted(pair->key) + " in " + std::string(name));
      TRUSS_TRY(bucket.put(pair->key, pair->value));
      TRUSS_ASSIGN(pair, cursor.next());
    }
    TRUSS_TRY(tx.commit());
  } while (pair);
  return {};
}

Result<> Backend::Impl::copy_to(bolt::DB& target) {
  TRUSS_ASSIGN(auto tx, db->begin_read());
  auto buckets = tx.cursor();
  TRUSS_ASSIGN(auto top, buckets.first());
  while (top) {
    TRUSS_ASSIGN(const auto bucket, tx.bucket(top->key));
    if (!bucket) return fail(Code::kCorruption, "top-level key is no bucket: " + quoted(top->key));
    TRUSS_TRY(copy_bucket(target, top->key, *bucket));
    TRUSS_ASSIGN(top, buckets.next());
  }
  return {};
}

Result<> Backend::Impl::run_defragment() {
  const ScopedTime timed(clock, metrics.defragmentations);
  const Busy busy(metrics.defragmenting);
  const std::string spare = spare_path(fs, options.path);
  const auto copy = [&]() -> Result<> {
    {
      TRUSS_ASSIGN(const auto target, open_db(spare, false));
      TRUSS_TRY(copy_to(*target));
    }
    return sync_file(fs, spare);
  };
  if (Result<> copied = copy(); !copied) {
    (void)fs.remove(spare);
    return fail("defragment", std::move(copied).error());
  }
  TRUSS_TRY(fs.rename(spare, options.path));
  // From here on the old file has no name: going back is impossible, so a failure is fatal.
  if (Result<> synced = fs.sync_dir(parent_path(options.path)); !synced)
    process.fatal("defragment: " + synced.error().message);
  auto reopened = open_db(options.path, true);
  if (!reopened) process.fatal("defragment: " + reopened.error().message);
  std::unique_lock lock(mutex);
  db = *std::move(reopened);
  return {};
}

}  // namespace truss::mvcc
