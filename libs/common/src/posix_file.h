#pragma once

#include "truss/common/file_system.h"

namespace truss {

/// An open descriptor of the kernel. Thread: any.
class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override;

  Result<std::size_t> pread(std::span<char> dst, std::uint64_t offset) override;
  Result<> pwrite(ByteView bytes, std::uint64_t offset) override;
  Result<> pwritev(std::span<const ByteView> pieces, std::uint64_t offset) override;
  Result<> sync_data() override;
  Result<> sync() override;
  Result<> begin_write_back(std::uint64_t offset, std::uint64_t length) override;
  Result<> await_write_back(std::uint64_t offset, std::uint64_t length) override;
  void read_ahead(std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> size() override;
  Result<> truncate(std::uint64_t size) override;
  Result<> allocate(std::uint64_t size) override;
  Result<> try_lock(LockKind kind, bool exclusive) override;
  Result<std::unique_ptr<Mapping>> map(std::uint64_t length, MapOptions options) override;

 private:
  Unexpected failed(const char* call) const;
  Result<> write_back(std::uint64_t offset, std::uint64_t length, unsigned flags);
  Result<> try_flock(bool exclusive);
  Result<> try_ofd_lock(bool exclusive);

  int fd_;
  std::string path_;
};

}  // namespace truss
