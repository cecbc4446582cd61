#include <algorithm>
#include <cerrno>

#include "sim_disk.h"

namespace truss::testing {
namespace {

class SimMapping final : public Mapping {
 public:
  SimMapping(std::shared_ptr<Region> region, std::uint64_t size)
      : region_(std::move(region)), size_(size) {}
  const char* data() const override { return region_->data(); }
  std::uint64_t size() const override { return size_; }

 private:
  std::shared_ptr<Region> region_;
  std::uint64_t size_;
};

class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimDisk> disk, std::shared_ptr<Mount> mount, InodePtr inode,
          bool writable)
      : disk_(std::move(disk)),
        mount_(std::move(mount)),
        inode_(std::move(inode)),
        writable_(writable) {}
  ~SimFile() override { unlock_all(); }

  Result<std::size_t> pread(std::span<char> dst, std::uint64_t offset) override;
  Result<> pwrite(ByteView bytes, std::uint64_t offset) override;
  Result<> pwritev(std::span<const ByteView> pieces, std::uint64_t offset) override;
  Result<> sync_data() override { return sync_as(OpKind::kSyncData); }
  Result<> sync() override { return sync_as(OpKind::kSync); }
  Result<std::uint64_t> size() override;
  Result<> truncate(std::uint64_t size) override;
  Result<> allocate(std::uint64_t size) override;
  Result<> try_lock(LockKind kind, bool exclusive) override;
  Result<std::unique_ptr<Mapping>> map(std::uint64_t length, MapOptions options) override;

 private:
  SimOp op(OpKind kind, std::uint64_t offset = 0, std::uint64_t length = 0) const;
  Result<> write_prefix(ByteView bytes, std::uint64_t offset, const SimOp& call);
  Result<> resize(const SimOp& call, std::uint64_t size);
  Result<> sync_as(OpKind kind);
  Result<> check_room(const SimOp& call, std::uint64_t end) const;
  void unlock_all();

  std::shared_ptr<SimDisk> disk_;
  std::shared_ptr<Mount> mount_;
  InodePtr inode_;
  bool writable_;
};

SimOp SimFile::op(OpKind kind, std::uint64_t offset, std::uint64_t length) const {
  std::lock_guard lock(disk_->mutex);
  SimOp out;
  out.kind = kind;
  out.path = inode_->path();
  out.offset = offset;
  out.length = length;
  return out;
}

Result<std::size_t> SimFile::pread(std::span<char> dst, std::uint64_t offset) {
  SimOp call = op(OpKind::kRead, offset, dst.size());
  if (const auto fault = disk_->enter(call, *mount_)) return fault_error(call, fault->sys_errno);
  std::lock_guard lock(disk_->mutex);
  return inode_->data->read(dst, offset);
}

Result<> SimFile::pwrite(ByteView bytes, std::uint64_t offset) {
  SimOp call = op(OpKind::kWrite, offset, bytes.size());
  const auto fault = disk_->enter(call, *mount_);
  if (!fault) return write_prefix(bytes, offset, call);
  const std::uint64_t end = offset + std::min<std::uint64_t>(fault->effect_bytes, bytes.size());
  const std::uint64_t whole = end - end % kSectorBytes;
  if (whole > offset) TRUSS_TRY(write_prefix(bytes.substr(0, whole - offset), offset, call));
  if (fault->sys_errno == 0) return {};
  return fault_error(call, fault->sys_errno);
}

Result<> SimFile::write_prefix(ByteView bytes, std::uint64_t offset, const SimOp& call) {
  std::lock_guard lock(disk_->mutex);
  TRUSS_TRY(check_room(call, offset + bytes.size()));
  inode_->data->write(bytes, offset, disk_->sequence);
  return {};
}

/// Under the lock: may the file be changed, and reach up to `end`?
Result<> SimFile::check_room(const SimOp& call, std::uint64_t end) const {
  if (!writable_) return fault_error(call, EBADF);
  if (end > inode_->data->max_bytes()) return fault_error(call, EFBIG);
  const std::uint64_t size = inode_->data->size();
  if (end > size && !disk_->fits(end - size)) return fault_error(call, ENOSPC);
  return {};
}

Result<> SimFile::pwritev(std::span<const ByteView> pieces, std::uint64_t offset) {
  std::string joined;
  for (const ByteView piece : pieces) joined += piece;
  return pwrite(joined, offset);
}

Result<> SimFile::sync_as(OpKind kind) {
  SimOp call = op(kind);
  const auto fault = disk_->enter(call, *mount_);
  std::lock_guard lock(disk_->mutex);
  if (!fault) {
    inode_->data->sync();
    return {};
  }
  if (fault->sys_errno == 0) return {};
  inode_->data->fail_sync();
  return fault_error(call, fault->sys_errno);
}

Result<std::uint64_t> SimFile::size() {
  SimOp call = op(OpKind::kStat);
  if (const auto fault = disk_->enter(call, *mount_)) return fault_error(call, fault->sys_errno);
  std::lock_guard lock(disk_->mutex);
  return inode_->data->size();
}

Result<> SimFile::truncate(std::uint64_t size) {
  return resize(op(OpKind::kTruncate, 0, size), size);
}

Result<> SimFile::allocate(std::uint64_t size) {
  return resize(op(OpKind::kAllocate, 0, size), size);
}

Result<> SimFile::resize(const SimOp& wanted, std::uint64_t size) {
  SimOp call = wanted;
  if (const auto fault = disk_->enter(call, *mount_)) {
    if (fault->sys_errno == 0) return {};
    return fault_error(call, fault->sys_errno);
  }
  std::lock_guard lock(disk_->mutex);
  TRUSS_TRY(check_room(call, size));
  if (call.kind == OpKind::kAllocate && size <= inode_->data->size()) return {};
  inode_->data->resize(size, disk_->sequence);
  return {};
}

Result<> SimFile::try_lock(LockKind kind, bool exclusive) {
  SimOp call = op(OpKind::kLock);
  if (const auto fault = disk_->enter(call, *mount_)) return fault_error(call, fault->sys_errno);
  std::lock_guard lock(disk_->mutex);
  LockTable& table = inode_->locks[static_cast<std::size_t>(kind)];
  if (!table.take(this, mount_, exclusive)) return fault_error(call, EWOULDBLOCK);
  return {};
}

void SimFile::unlock_all() {
  std::lock_guard lock(disk_->mutex);
  for (LockTable& table : inode_->locks) table.release(this);
}

Result<std::unique_ptr<Mapping>> SimFile::map(std::uint64_t length, MapOptions) {
  SimOp call = op(OpKind::kMap, 0, length);
  if (const auto fault = disk_->enter(call, *mount_)) return fault_error(call, fault->sys_errno);
  std::lock_guard lock(disk_->mutex);
  if (length == 0) return fault_error(call, EINVAL);
  if (length > inode_->data->max_bytes()) return fault_error(call, ENOMEM);
  return std::make_unique<SimMapping>(inode_->data->region(), length);
}

}  // namespace

std::unique_ptr<File> make_sim_file(std::shared_ptr<SimDisk> disk, std::shared_ptr<Mount> mount,
                                    InodePtr inode, bool writable) {
  return std::make_unique<SimFile>(std::move(disk), std::move(mount), std::move(inode), writable);
}

}  // namespace truss::testing
