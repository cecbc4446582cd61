#include "truss/waltool/data_dir.h"

#include "truss/wal/segment.h"

namespace truss::waltool {
namespace {

bool is_file(FileSystem& fs, const std::string& path) {
  const auto info = fs.stat(path);
  return info && !info->directory;
}

class UnlockedFile final : public File {
 public:
  explicit UnlockedFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<std::size_t> pread(std::span<char> dst, std::uint64_t offset) override {
    return file_->pread(dst, offset);
  }
  Result<> pwrite(ByteView, std::uint64_t) override { return refused(); }
  Result<> pwritev(std::span<const ByteView>, std::uint64_t) override { return refused(); }
  Result<> sync_data() override { return refused(); }
  Result<> sync() override { return refused(); }
  Result<std::uint64_t> size() override { return file_->size(); }
  Result<> truncate(std::uint64_t) override { return refused(); }
  Result<> allocate(std::uint64_t) override { return refused(); }
  Result<> try_lock(LockKind, bool) override { return {}; }
  Result<std::unique_ptr<Mapping>> map(std::uint64_t length, MapOptions options) override {
    return file_->map(length, options);
  }

 private:
  static Unexpected refused() { return fail(Code::kFailedPrecondition, "opened for reading only"); }
  std::unique_ptr<File> file_;
};

Unexpected read_only() { return fail(Code::kFailedPrecondition, "this is for reading only"); }

}  // namespace

Result<DataDir> locate(FileSystem& fs, const std::string& dir, const std::string& wal_dir) {
  std::string member = dir;
  if (exists(fs, join_path(dir, "member"))) member = join_path(dir, "member");
  DataDir out;
  out.wal = !wal_dir.empty()                             ? wal_dir
            : wal::has_wal(fs, join_path(member, "wal")) ? join_path(member, "wal")
                                                         : dir;
  if (!wal::has_wal(fs, out.wal))
    return fail(Code::kNotFound, dir + ": no write-ahead log here, nor in member/wal or wal");
  if (out.wal == dir && wal_dir.empty()) {
    // A wal folder: its neighbours, if it lies in a member folder.
    if (!dir.ends_with("/wal") && dir != "wal") return out;
    member = parent_path(dir);
  }
  if (exists(fs, join_path(member, "snap"))) out.snap = join_path(member, "snap");
  if (!out.snap.empty() && is_file(fs, join_path(out.snap, "db")))
    out.db = join_path(out.snap, "db");
  return out;
}

Result<std::unique_ptr<File>> UnlockedReads::open(const std::string& path, OpenOptions options) {
  if (options.write || options.create) return read_only();
  TRUSS_ASSIGN(auto file, fs_.open(path, options));
  return std::make_unique<UnlockedFile>(std::move(file));
}
Result<> UnlockedReads::make_dir(const std::string&, std::uint32_t) { return read_only(); }
Result<> UnlockedReads::rename(const std::string&, const std::string&) { return read_only(); }
Result<> UnlockedReads::remove(const std::string&) { return read_only(); }
Result<> UnlockedReads::sync_dir(const std::string&) { return read_only(); }

}  // namespace truss::waltool
