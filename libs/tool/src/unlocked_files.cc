#include "truss/tool/unlocked_files.h"

namespace truss::tool {
namespace {

Unexpected refused(const std::string& path) {
  return fail(Code::kPermissionDenied, path + ": opened to be read only");
}

class UnlockedFile final : public File {
 public:
  UnlockedFile(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Result<std::size_t> pread(std::span<char> dst, std::uint64_t offset) override {
    return file_->pread(dst, offset);
  }
  Result<> pwrite(ByteView, std::uint64_t) override { return refused(path_); }
  Result<> pwritev(std::span<const ByteView>, std::uint64_t) override { return refused(path_); }
  Result<> sync_data() override { return refused(path_); }
  Result<> sync() override { return refused(path_); }
  Result<std::uint64_t> size() override { return file_->size(); }
  Result<> truncate(std::uint64_t) override { return refused(path_); }
  Result<> allocate(std::uint64_t) override { return refused(path_); }
  Result<> try_lock(LockKind, bool) override { return {}; }
  Result<std::unique_ptr<Mapping>> map(std::uint64_t length, MapOptions options) override {
    return file_->map(length, options);
  }

 private:
  std::unique_ptr<File> file_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<File>> UnlockedFiles::open(const std::string& path, OpenOptions options) {
  if (options.write || options.create || options.truncate) return refused(path);
  TRUSS_ASSIGN(auto file, fs_.open(path, options));
  return std::make_unique<UnlockedFile>(std::move(file), path);
}

Result<> UnlockedFiles::make_dir(const std::string& path, std::uint32_t) { return refused(path); }
Result<> UnlockedFiles::rename(const std::string& from, const std::string&) {
  return refused(from);
}
Result<> UnlockedFiles::remove(const std::string& path) { return refused(path); }
Result<> UnlockedFiles::sync_dir(const std::string& path) { return refused(path); }

}  // namespace truss::tool
