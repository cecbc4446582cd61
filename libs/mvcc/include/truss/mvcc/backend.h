#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "truss/bolt/bolt.h"
#include "truss/common/clock.h"
#include "truss/common/executor.h"
#include "truss/common/file_system.h"
#include "truss/common/log.h"
#include "truss/common/process.h"
#include "truss/mvcc/kv.h"
#include "truss/mvcc/metrics.h"
#include "truss/schema/buckets.h"
#include "truss/schema/meta.h"

namespace truss::mvcc {

struct BackendOptions {
  std::string path;  ///< the db file; its directory exists
  Duration batch_interval = std::chrono::milliseconds(100);
  std::uint64_t batch_limit = 10'000;  ///< operations of one batch
  bolt::Options bolt{};                ///< freelist type, map_populate, initial_mmap_size, ...
  bool write_term = false;             ///< keep `term` in bucket meta (levels 3.5 and later)
  /// Caution: breaks recovery. Set by tests only, to show that the crash sweep notices.
  bool forget_consistent_index = false;
};

/// What the backend needs of the WAL before a bolt commit.
class WalGate {
 public:
  virtual ~WalGate() = default;
  /// Runs `done` once the WAL is synced through entry `index` and through a HardState with
  /// commit >= index. May run it at once. Thread: called from the backend executor; `done` may run
  /// on any thread.
  virtual void when_synced(std::uint64_t index, Task done) = 0;
};

/// What 3.4, 3.5 and 3.6 leave out of the hash of a whole db (they skip different meta keys).
enum class HashLevel : std::uint8_t { k34, k35, k36 };

/// One pinned, immutable view of bucket `key`: a bolt read transaction and the records not yet in
/// bolt. Holds pages back from reuse, so keep it short.
/// Thread: one at a time.
class ReadView {
 public:
  /// A raw record. `owner` is set if the record lies in memory; else the bytes live as long as the
  /// view.
  struct Record {
    Revision revision;
    bool tombstone = false;
    ByteView key;    ///< raw, 17 or 18 bytes
    ByteView value;  ///< raw KeyValue, may be empty
    SharedBytes owner;
  };
  /// Returns false to stop.
  using Visitor = std::function<Result<bool>(const Record&)>;

  ReadView(ReadView&&) noexcept;
  ReadView& operator=(ReadView&&) noexcept;
  ~ReadView();

  /// Appends the KeyValues of `revisions` (puts, all present) to `out`, in that order, in one
  /// allocation. Errors: kCorruption if one is missing or damaged.
  Result<> fetch(std::span<const Revision> revisions, std::vector<KeyValue>& out);
  /// Visits the records of [first, last) in revision order.
  Result<> scan(Revision first, Revision last, const Visitor& visit);
  /// Shows the records of the file alone, by their pages.
  Result<> read_leaves(bolt::LeafReader& reader);

 private:
  friend class Backend;
  struct Impl;
  explicit ReadView(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The db file with a batch of writes in memory before it, that readers see at once.
///
/// The apply thread writes into the open batch. It is closed after `batch_interval`, at
/// `batch_limit` operations, or when somebody asks for a commit, but only between applies; the
/// backend executor, the only bolt writer, commits closed batches one by one, each with its
/// consistent_index (and term) in the same bolt transaction. At most two closed batches wait; then
/// the open one grows, and `has_room` tells the apply thread to wait.
///
/// Durability: nothing before a commit. A failed bolt commit calls Process::fatal.
/// Thread: as said at each function; `any` includes none of the backend executor's own tasks for
/// the blocking ones.
class Backend {
 public:
  /// Opens or creates the db, makes absent buckets, removes leftovers of a defragmentation.
  /// All references must outlive the backend. Blocking. Errors: those of bolt::DB::open.
  static Result<std::unique_ptr<Backend>> open(FileSystem& fs, Executor& executor, Clock& clock,
                                               Process& process, Logger& logger,
                                               BackendOptions options);
  /// Caution: does not commit; close() first. The executor must be stopped or idle.
  ~Backend();

  /// The gate each later commit passes; null (the default) for none. Set before the first write.
  void set_wal_gate(WalGate* gate);
  /// Called on the backend executor after each commit with the consistent index now durable.
  void set_commit_listener(std::function<void(std::uint64_t consistent_index)> listener);

  // --- Writing. Thread: apply.

  /// Keeps the open batch open while it lives: all writes of one apply go into one bolt
  /// transaction, with its consistent index. May be nested.
  class [[nodiscard]] Hold {
   public:
    explicit Hold(Backend& backend);
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold();

   private:
    Backend& backend_;
  };
  /// Entry `index` of `term` is applied with the writes so far of this Hold. Goes into bolt with
  /// the batch; alone it does not make a batch dirty.
  void set_consistent_index(std::uint64_t index, std::uint64_t term);
  /// Appends to bucket `key`; revisions ascend.
  void put_revision(Revision revision, bool tombstone, SharedBytes record);
  /// Any bucket but `key`.
  void put(schema::BucketId bucket, ByteView key, ByteView value);
  void remove(schema::BucketId bucket, ByteView key);
  /// False while two closed batches wait and the open one is full: don't apply more.
  bool has_room() const;
  /// Runs `task` (on the backend executor, or at once) when has_room() is true.
  void when_room(Task task);
  /// Blocks until has_room().
  void wait_for_room();

  // --- Reading. Thread: any.

  /// A view of bucket `key` with everything written before the call.
  Result<ReadView> view();
  /// The same for a caller who asks only for revisions >= `oldest`: free of bolt if all lie in
  /// memory.
  Result<ReadView> view(Revision oldest);
  /// Value in any bucket but `key`, batches included.
  Result<std::optional<std::string>> get(schema::BucketId bucket, ByteView key);
  /// Visits a bucket other than `key` in key order, batches included.
  Result<> for_each(schema::BucketId bucket,
                    const std::function<Result<>(ByteView key, ByteView value)>& visit);
  /// Set by the last apply (or read from the file at open).
  std::uint64_t consistent_index() const;
  std::uint64_t term() const;
  /// Durable in bolt.
  std::uint64_t committed_consistent_index() const;

  // --- Whole-file work. Thread: any.

  /// Closes the open batch (between applies) and runs `done` on the backend executor when all
  /// written before the call is in bolt.
  void commit(Task done);
  /// The same if the batch can be closed at once, so that `done` runs with exactly the present
  /// state in bolt, consistent index included; else false, and nothing is done: commit() first, and
  /// try again without writing in between. Thread: apply.
  bool commit_exactly(Task done);
  /// The same, blocking. Not from the backend executor.
  void force_commit();
  /// Queues `change` as a bolt transaction of its own on the backend executor; `done` gets its
  /// outcome there. A failed change is rolled back. Batches still in memory come after it.
  void update(std::function<Result<>(bolt::Tx&)> change, std::function<void(Result<>)> done);

  /// A bolt read transaction of what is committed: its write_to gives a snapshot file's image.
  /// Call commit or force_commit first.
  class Snapshot {
   public:
    /// `held` is let go with the snapshot.
    Snapshot(std::shared_ptr<bolt::DB> db, bolt::Tx tx, std::shared_ptr<void> held = {})
        : held_(std::move(held)), db_(std::move(db)), tx_(std::move(tx)) {}
    std::uint64_t size_bytes() const { return tx_.size_bytes(); }
    Result<> write_to(const std::function<Result<>(ByteView piece)>& sink) {
      return tx_.write_to(sink);
    }
    bolt::Tx& tx() { return tx_; }

   private:
    std::shared_ptr<void> held_;
    std::shared_ptr<bolt::DB> db_;  // outlives tx_
    bolt::Tx tx_;
  };
  Result<Snapshot> snapshot();
  /// The same for a short look, which metrics don't count as a snapshot.
  Result<Snapshot> committed();

  /// Hash of the whole db (disk-formats §7.2) of what is committed. Call commit first.
  Result<std::uint32_t> hash(HashLevel level);

  /// Copies the file bucket by bucket into db.tmp.*, renames it over the db and reopens. Readers go
  /// on undisturbed; commits wait. `done` runs on the backend executor.
  /// Durability: file and directory are synced before the old file is let go.
  void defragment(std::function<void(Result<>)> done);
  /// The same, blocking. Not from the backend executor.
  Result<> defragment();

  /// Makes the index of a database that is to take the place of this one; must call `adopt` once,
  /// under whatever lock makes index and database change together.
  using Prepare = std::function<Result<>(ReadView records, const schema::Meta& meta,
                                         const std::function<void()>& adopt)>;
  /// Goes over to the database file `received`, which came with a snapshot of the leader and is on
  /// disk: commits what is left, renames `received` over the db, syncs the directory, opens it,
  /// lets `prepare` switch to it; then `done`, all on the backend executor. What `leaves` (may be
  /// null) knows of the file isn't read to open it. Readers in flight
  /// finish on the old database. No writes between the call and `done`. A failure is fatal: half a
  /// change of databases is repaired by the next start only.
  /// Thread: apply. Durability: the new database is on disk under the name of the old one.
  void replace(std::string received, std::shared_ptr<const bolt::KnownLeaves> leaves,
               Prepare prepare, Task done);

  std::uint64_t size_bytes() const;    ///< of the file, as etcd's dbSize
  std::uint64_t in_use_bytes() const;  ///< without free pages, as etcd's dbSizeInUse
  bolt::Stats stats() const;
  /// Lives as long as the backend.
  const BackendMetrics& metrics() const;
  const std::string& path() const;

  /// Commits what is left, blocking, and takes no more. Idempotent. Stop the executor afterwards.
  void close();

  struct Impl;

 private:
  explicit Backend(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace truss::mvcc
