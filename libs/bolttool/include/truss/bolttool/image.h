#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "truss/bolt/meta.h"
#include "truss/bolt/page.h"
#include "truss/tool/lock_holder.h"

namespace truss::bolttool {

/// What one of the two meta pages says, or why it can't be believed.
struct MetaPage {
  std::optional<bolt::Meta> meta;
  std::string fault;
};

/// A bolt file opened to be looked at: nothing is ever written, a shared lock is taken if nobody
/// holds it for writing, and no byte is trusted. *Thread:* any once opened.
class Image {
 public:
  struct Options {
    int slot = -1;                ///< read the state of this meta page; -1: the newest
    bool pages_only = false;      ///< for salvage: no valid meta page is needed
    std::uint32_t page_size = 0;  ///< with pages_only: 0 = told by the meta pages or a guess
  };
  /// \param path  a bolt file, or a data directory of etcd
  /// Errors: kNotFound and others of the file system; kCorruption if there is no valid meta page.
  static Result<Image> open(FileSystem& fs, const std::string& path, const Options& options);

  const std::string& path() const { return *path_; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  std::uint64_t page_size() const { return view_.page_size; }
  const bolt::View& view() const { return view_; }
  /// Of the state that is read. Without a valid one (pages_only): all zero.
  const bolt::Meta& meta() const { return meta_; }
  int slot() const { return slot_; }
  const std::array<MetaPage, 2>& metas() const { return metas_; }

  /// Others hold the file for writing: the state read may be overwritten meanwhile.
  bool live() const { return live_; }
  std::string holders() const { return tool::held_by(*path_); }
  /// True if a writer has committed since open(): pages of this state may have been reused.
  bool moved_on() const;

  /// The whole pages of the file, also those past the high-water mark.
  std::uint64_t file_pages() const { return file_bytes_ / view_.page_size; }
  const char* page_bytes(std::uint64_t id) const { return view_.base + id * view_.page_size; }

 private:
  Result<> read_metas(const Options& options);
  Result<> choose(const Options& options);

  std::unique_ptr<std::string> path_;  // at a fixed place: views point to it
  std::unique_ptr<File> file_;
  std::uint64_t file_bytes_ = 0;
  bolt::View view_;
  bolt::Meta meta_;
  int slot_ = 0;
  std::array<MetaPage, 2> metas_;
  bool live_ = false;
};

/// `DIR/member/snap/db` for a data directory, `path` itself otherwise.
std::string db_path(FileSystem& fs, const std::string& path);

}  // namespace truss::bolttool
