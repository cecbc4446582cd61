#include "discard_files.h"

#include <algorithm>

namespace truss::peertool {
namespace {

class DiscardFile final : public File {
 public:
  Result<std::size_t> pread(std::span<char>, std::uint64_t) override { return 0; }
  Result<> pwrite(ByteView bytes, std::uint64_t offset) override {
    size_ = std::max<std::uint64_t>(size_, offset + bytes.size());
    return {};
  }
  Result<> pwritev(std::span<const ByteView> pieces, std::uint64_t offset) override {
    for (const ByteView piece : pieces) offset += piece.size();
    size_ = std::max(size_, offset);
    return {};
  }
  Result<> sync_data() override { return {}; }
  Result<> sync() override { return {}; }
  Result<std::uint64_t> size() override { return size_; }
  Result<> truncate(std::uint64_t size) override {
    size_ = size;
    return {};
  }
  Result<> allocate(std::uint64_t size) override {
    size_ = std::max(size_, size);
    return {};
  }
  Result<> try_lock(LockKind, bool) override { return {}; }
  Result<std::unique_ptr<Mapping>> map(std::uint64_t, MapOptions) override {
    return fail(Code::kUnimplemented, "nothing is kept here to be mapped");
  }

 private:
  std::uint64_t size_ = 0;
};

}  // namespace

Result<std::unique_ptr<File>> DiscardFiles::open(const std::string& path, OpenOptions options) {
  if (!options.create) return fail(Code::kNotFound, path + ": nothing is kept here");
  return std::make_unique<DiscardFile>();
}
Result<FileInfo> DiscardFiles::stat(const std::string& path) {
  return fail(Code::kNotFound, path + ": nothing is kept here");
}
Result<std::vector<std::string>> DiscardFiles::list(const std::string&) {
  return std::vector<std::string>{};
}
Result<> DiscardFiles::make_dir(const std::string&, std::uint32_t) { return {}; }
Result<> DiscardFiles::rename(const std::string&, const std::string&) { return {}; }
Result<> DiscardFiles::remove(const std::string&) { return {}; }
Result<> DiscardFiles::sync_dir(const std::string&) { return {}; }

}  // namespace truss::peertool
