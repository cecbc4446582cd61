#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "tx_impl.h"

namespace truss::bolt {

/// A committed state and the mapping that shows it.
struct State {
  Meta meta;
  int slot = 0;
  std::shared_ptr<Mapping> map;
  std::uint64_t file_pages = 0;  ///< whole pages the file has
};

/// The open file. Thread: any; `mutex_` guards the state, the readers and the writer's turn, and
/// whoever has the writer's turn owns `writer_` and the writing side of the file.
class Database final : public DB {
 public:
  Database(FileSystem& fs, std::string path, const Options& options, FatalHandler fatal);
  ~Database() override;

  // -- open.cc
  Result<> open();

  // -- db.cc
  Result<Tx> begin_read() override;
  Result<Tx> begin_write() override;
  Result<> rewrite_freelist() override;
  const std::string& path() const override { return path_; }
  std::uint32_t page_size() const override { return page_size_; }
  Stats stats() const override;
  void end_read(std::uint64_t txid);
  void end_write();
  /// States that readers are on, ascending.
  std::vector<std::uint64_t> readers() const;

  // -- check.cc
  Result<std::uint64_t> check(const std::function<void(const std::string&)>& report) override;

  /// Dies of a fault in the state just committed. The writer's turn is the caller's.
  void check_committed();

  // -- commit.cc
  /// Errors: kResourceExhausted if the file would pass max_size_bytes.
  Result<> fits(std::uint64_t high_water) const;
  /// Maps more of the file if `high_water` pages pass the present mapping. Writes nothing.
  /// Errors: kResourceExhausted.
  Result<std::shared_ptr<Mapping>> mapping_for(std::uint64_t high_water);
  /// Durability: pages, then the meta page, are on disk when it returns; otherwise it doesn't.
  void write(std::vector<DirtyPage>& pages, const Meta& next);
  void publish(const Meta& next, std::shared_ptr<Mapping> map);
  const Options& options() const { return options_; }

 private:
  struct Reader {
    std::uint64_t txid;
    std::uint64_t count;
  };
  Result<> open_file();
  Result<> load_state();
  Result<> load_freelist(const View& view);
  unsigned walk_threads(const Meta& meta) const;
  Result<> store_missing_freelist();
  Result<std::shared_ptr<Mapping>> map(std::uint64_t wanted_bytes);
  View view_of(State state) const;
  Result<> take_turn();
  void prepare_writer();
  void count_pages();
  void grow(std::uint64_t bytes);
  void write_pages(std::vector<DirtyPage>& pages);
  void write_meta(const Meta& next);
  void sync(const char* what);
  [[noreturn]] void die(const std::string& what, const Error& error);

  FileSystem& fs_;
  const std::string path_;
  const Options options_;
  const FatalHandler fatal_;
  std::unique_ptr<File> file_;
  std::uint32_t page_size_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable writer_left_;
  bool writing_ = false;  // guarded by mutex_, as the rest of this block
  bool dead_ = false;     // a write failed; no more of them
  bool damaged_meta_ = false;
  State state_;
  std::vector<Reader> readers_;  // ascending

  std::unique_ptr<Writer> writer_;
  std::uint64_t file_bytes_ = 0;

  std::atomic<std::uint64_t> free_pages_{0}, pending_pages_{0};
  std::atomic<std::uint64_t> commits_{0}, syncs_{0}, pages_written_{0};
};

/// Writes the four pages of a new file under a temporary name and moves it to `path`; gives the
/// open, locked file. An empty file in place is replaced.
/// Durability: the file and its directory entry are on disk when it returns.
Result<std::unique_ptr<File>> create_file(FileSystem& fs, const std::string& path,
                                          const Options& options);

/// `open PATH: locked by another process` for a failed try_lock.
Result<> lock_file(File& file, const std::string& path, bool exclusive);

}  // namespace truss::bolt
