#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "truss/common/bytes.h"
#include "truss/common/clock.h"
#include "truss/common/duration_counts.h"
#include "truss/common/error.h"
#include "truss/common/file_system.h"
#include "truss/common/strong.h"

/// The B+tree file of etcd (bbolt's format): one writer, many readers, copy-on-write pages.
namespace truss::bolt {

using PageId = Strong<struct PageIdTag>;
using TxId = Strong<struct TxIdTag>;

enum class FreelistType { kArray, kHashMap };

/// How long the phases of commits took. Thread: any.
struct CommitTimes {
  DurationCounts rebalance;  ///< merging small pages
  DurationCounts spill;      ///< building page images, the list of free pages included
  DurationCounts write;      ///< pages, meta page and their syncs
};

class PageSet;

/// What somebody saw of a file's pages, on their way to the disk for example, so that opening
/// needn't read them again. Thread: any number at once.
class KnownLeaves {
 public:
  virtual ~KnownLeaves() = default;
  /// Pages that the page `id` takes, its overflow pages included, if it is a sound leaf page
  /// without buckets in it; 0 if that isn't known.
  virtual std::uint64_t pages(std::uint64_t id) const = 0;
};

struct Options {
  bool read_only = false;
  bool no_freelist_sync = true;  ///< don't write the list of free pages; rebuild it when opening
  FreelistType freelist_type = FreelistType::kHashMap;
  bool map_populate = false;            ///< MAP_POPULATE
  std::uint64_t initial_mmap_size = 0;  ///< bytes; readers never wait for a remap below it
  std::uint32_t page_size = 0;  ///< of a new file, a power of two in [1024, 65536]; 0 = 4096
  bool no_sync = false;         ///< Caution: no fdatasync at commit
  bool no_grow_sync = false;    ///< don't extend the file ahead (in steps of up to 16 MiB)
  /// Walks over the whole file (check(), the search for free pages when opening) keep no more than
  /// some tens of MB of the mapping resident. For tools; it costs a little time.
  bool low_memory = false;
  unsigned walk_threads = 1;  ///< for walks over the whole file, if it is large (see low_memory)
  /// Pages of the tree, if somebody has just walked this file, or one of the same bytes: spares the
  /// search for free pages. Caution: a page that is missing in it is overwritten. Only for open().
  const PageSet* reachable = nullptr;
  std::uint64_t max_size_bytes = 0;  ///< refuse commits that would grow the file past it; 0 = none
  bool strict = false;               ///< check the whole file after each commit; die of a fault
  std::uint32_t mode = 0600;
  /// Used until open() returns: the search for free pages doesn't read those pages.
  const KnownLeaves* known_leaves = nullptr;
  Clock* clock = nullptr;        ///< with `times`: measure commits; both outlive the DB
  CommitTimes* times = nullptr;  ///< where to count them
};

/// Thrown nowhere: a failed write or sync of a commit calls it, and it must not return.
using FatalHandler = std::function<void(std::string_view why)>;

struct Stats {
  std::uint64_t free_pages = 0;     ///< free for the next write
  std::uint64_t pending_pages = 0;  ///< freed, still visible to open readers
  std::uint64_t open_readers = 0;
  std::uint64_t size_bytes = 0;    ///< high-water mark times page size
  std::uint64_t in_use_bytes = 0;  ///< size_bytes minus free and pending pages
  std::uint64_t commits = 0;
  std::uint64_t syncs = 0;
  std::uint64_t pages_written = 0;
  bool damaged_meta = false;  ///< one of the two meta pages was unreadable at open; the next
                              ///< commit heals it
};

struct KeyValue {
  ByteView key;
  ByteView value;          ///< empty for a nested bucket
  bool is_bucket = false;  ///< the key names a nested bucket
};

class Tx;
class Bucket;
struct View;
struct Meta;

/// Walks one bucket in key order. A fresh cursor is before the first pair; next() past the last
/// pair leaves it after all, from where prev() gives the last one. It survives any change of its
/// bucket: next() then gives the first key after the last one it gave, prev() the one before. After
/// an error only first(), last() or seek() give it a place again. Views live until the transaction
/// ends. Thread: the transaction's.
class Cursor {
 public:
  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) noexcept;
  ~Cursor();
  /// Each moves and returns the pair there, nullopt past either end.
  /// Errors: kCorruption naming file, page and offset.
  Result<std::optional<KeyValue>> first();
  Result<std::optional<KeyValue>> last();
  Result<std::optional<KeyValue>> next();
  Result<std::optional<KeyValue>> prev();
  /// To the first key >= `key`.
  Result<std::optional<KeyValue>> seek(ByteView key);
  /// Deletes the pair under the cursor; the next next() gives the pair after it.
  Result<> remove();

 private:
  friend class Bucket;
  struct Impl;
  explicit Cursor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A collection of pairs and nested buckets (64 deep at most). A light handle; valid until its
/// transaction ends. A bucket that was removed reads as empty and refuses changes. Views it gives
/// live until the transaction ends.
/// Sees the leaves of a bucket in key order, and may know some of them already.
class LeafReader {
 public:
  virtual ~LeafReader() = default;
  /// True if it knows what the leaf page `id` holds and has taken it: the page isn't looked at.
  virtual Result<bool> known(std::uint64_t id) = 0;
  /// A pair of a leaf that isn't known. Views live as long as the transaction.
  virtual Result<> pair(const KeyValue& pair) = 0;
};

class Bucket {
 public:
  /// nullopt if absent, or if the key names a bucket. Errors: kCorruption.
  Result<std::optional<ByteView>> get(ByteView key) const;
  /// Errors: kInvalidArgument for an empty key, a key over 32768 or a value over 2^31-2 bytes,
  /// or a key that names a bucket; kFailedPrecondition in a read transaction.
  Result<> put(ByteView key, ByteView value);
  /// Absent is fine. Errors: kInvalidArgument if the key names a bucket.
  Result<> remove(ByteView key);
  Cursor cursor() const;
  /// Shows all of it to `reader`, with no look at the pages that are known to that. Errors:
  /// kCorruption; kFailedPrecondition in a write transaction; those of the reader.
  Result<> read_leaves(LeafReader& reader) const;

  Result<std::optional<Bucket>> bucket(ByteView name) const;
  /// Errors: kAlreadyExists; kInvalidArgument for a bad name, one that holds a value, or too deep.
  Result<Bucket> create_bucket(ByteView name);
  Result<Bucket> create_bucket_if_absent(ByteView name);
  /// Frees it and all that is in it. Errors: kNotFound; kInvalidArgument if the name holds a value.
  Result<> remove_bucket(ByteView name);
  /// Moves the bucket `name` with all in it from here into `to`, under the same name. Open handles
  /// follow it. Reads all of it, to see how deep it nests. Errors: kNotFound; kAlreadyExists;
  /// kInvalidArgument if a name holds a value, `to` is this bucket, lies inside the one moved or
  /// belongs to another transaction, or the buckets would nest too deep.
  Result<> move_bucket(ByteView name, Bucket to);

  std::uint64_t sequence() const;
  Result<> set_sequence(std::uint64_t value);
  Result<std::uint64_t> next_sequence();
  /// Share of a page that a split fills, [0.1, 1.0]; 0.5 by default, not stored.
  void set_fill_percent(double fill);

  struct Impl;
  explicit Bucket(Impl* impl) : impl_(impl) {}

 private:
  Impl* impl_;  // owned by the transaction
};

/// A transaction; its top level is a bucket of buckets. Rolled back by the destructor unless
/// committed. A reader pins its pages until it ends, so keep it short.
///
/// Thread: a transaction lives on one thread at a time; readers may run on any number of threads
/// beside the one writer.
class Tx {
 public:
  Tx(Tx&&) noexcept;
  Tx& operator=(Tx&&) noexcept;
  ~Tx();

  TxId id() const;
  bool writable() const;
  /// High-water mark times page size: the bytes of a copy of this view.
  std::uint64_t size_bytes() const;

  Result<std::optional<Bucket>> bucket(ByteView name);
  Result<Bucket> create_bucket(ByteView name);
  Result<Bucket> create_bucket_if_absent(ByteView name);
  Result<> remove_bucket(ByteView name);
  /// The top level itself, to move buckets to and from; it takes no pairs.
  Bucket top();
  Cursor cursor();

  /// Ends the transaction. One that changed nothing writes nothing and takes no txid.
  /// Durability: everything is on disk when it returns (unless no_sync). A failed write or sync
  /// calls the fatal handler. Errors (before any write, nothing is committed): kCorruption,
  /// kResourceExhausted (the file would pass max_size_bytes, or can't be mapped).
  Result<> commit();
  void rollback();

  /// Feeds a consistent image of the file to `sink`: as its first piece both meta pages, pointing
  /// at this view (txid and txid-1, no freelist), then pages [2, high-water mark) in pieces of at
  /// most 64 KiB.
  Result<> write_to(const std::function<Result<>(ByteView piece)>& sink);
  /// Gives the pages read so far back to the kernel (see Mapping::drop_resident): for long walks in
  /// little memory. All views stay valid.
  void drop_resident() const;
  /// The committed state this transaction began with, for walks over its pages (walk.h).
  const View& view() const;
  const Meta& meta() const;

  struct Impl;
  explicit Tx(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

/// One open bolt file, held by flock: exclusive, or shared when read-only.
class DB {
 public:
  /// Opens or creates the file (under the name `path`.tmp until it is complete). The transactions
  /// must end before the database does. Errors: kUnavailable if locked; kCorruption with file, page
  /// and offset; kInvalidArgument for a bad page size. Durability: a new file and its directory
  /// entry are on disk when it returns.
  static Result<std::unique_ptr<DB>> open(FileSystem& fs, const std::string& path,
                                          const Options& options, FatalHandler fatal = {});
  virtual ~DB() = default;

  /// Thread: any.
  virtual Result<Tx> begin_read() = 0;
  /// Waits for the present writer to end. Thread: any.
  virtual Result<Tx> begin_write() = 0;

  virtual const std::string& path() const = 0;
  virtual std::uint32_t page_size() const = 0;
  virtual Stats stats() const = 0;
  /// Checks the whole file: every page reachable exactly once or free, types, key order, bounds.
  /// Calls `report` with each fault; returns their number. Holds the writer's turn meanwhile, so
  /// don't call it from a thread with an open write transaction.
  virtual Result<std::uint64_t> check(const std::function<void(const std::string&)>& report) = 0;
  /// Commits once if the file stores its free pages and no_freelist_sync says not to, or the other
  /// way round. Durability: as a commit.
  virtual Result<> rewrite_freelist() = 0;
};

}  // namespace truss::bolt
