#include "truss/common/testing/sim_file_system.h"

#include <cerrno>

#include "sim_disk.h"

namespace truss::testing {
namespace {

SimOp path_op(OpKind kind, const std::string& path) {
  SimOp out;
  out.kind = kind;
  out.path = normal_path(path);
  return out;
}

/// Shows the call to the hooks; the error of a fault, or whether the effect is to be skipped.
Result<bool> proceed(SimDisk& disk, const Mount& mount, SimOp& op) {
  const auto fault = disk.enter(op, mount);
  if (!fault) return true;
  if (fault->sys_errno == 0) return false;
  return fault_error(op, fault->sys_errno);
}

Result<InodePtr> create_file(SimDisk& disk, const SimOp& op, std::uint32_t mode) {
  TRUSS_ASSIGN(auto place, disk.locate(op.path));
  auto inode = make_file_inode(mode, std::make_unique<FileData>(disk.options.max_file_bytes));
  apply_dir_op(
      std::make_shared<DirOp>(DirOp{disk.sequence.next(), {{place.dir, place.name, inode}}}));
  return inode;
}

Result<> check_open(const SimOp& op, const Inode& inode, const OpenOptions& options) {
  if (options.create && options.exclusive) return fault_error(op, EEXIST);
  if (inode.directory) return fault_error(op, EISDIR);
  return {};
}

Result<> check_rename_target(const SimOp& op, const Inode& from, const Inode& to) {
  if (to.directory && !from.directory) return fault_error(op, EISDIR);
  if (!to.directory && from.directory) return fault_error(op, ENOTDIR);
  if (!to.entries.empty()) return fault_error(op, ENOTEMPTY);
  return {};
}

}  // namespace

SimFileSystem::SimFileSystem(SimDiskOptions options)
    : SimFileSystem(std::make_shared<SimDisk>(options, make_directory_inode(0755))) {}
SimFileSystem::SimFileSystem(std::shared_ptr<SimDisk> disk)
    : disk_(std::move(disk)), mount_(std::make_shared<Mount>()) {}
SimFileSystem::~SimFileSystem() = default;

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path, OpenOptions options) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kOpen, path);
  std::unique_lock lock(disk->mutex);
  const bool present = disk->find(op.path).has_value();
  if (!present && options.create) op.kind = OpKind::kCreate;
  if (present && options.truncate && options.write) op.kind = OpKind::kTruncate;
  lock.unlock();
  TRUSS_TRY(proceed(*disk, *mount_, op));
  lock.lock();
  auto found = disk->find(op.path);
  if (!found && !options.create) return fault_error(op, ENOENT);
  if (!found) {
    TRUSS_ASSIGN(auto inode, create_file(*disk, op, options.mode));
    return make_sim_file(disk, mount_, std::move(inode), options.write);
  }
  TRUSS_TRY(check_open(op, **found, options));
  if (options.truncate && options.write) (*found)->data->resize(0, disk->sequence);
  return make_sim_file(disk, mount_, *found, options.write);
}

Result<FileInfo> SimFileSystem::stat(const std::string& path) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kStat, path);
  TRUSS_TRY(proceed(*disk, *mount_, op));
  std::lock_guard lock(disk->mutex);
  TRUSS_ASSIGN(auto inode, disk->find(op.path));
  return FileInfo{inode->data ? inode->data->size() : 0, inode->directory, inode->mode};
}

Result<std::vector<std::string>> SimFileSystem::list(const std::string& path) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kList, path);
  TRUSS_TRY(proceed(*disk, *mount_, op));
  std::lock_guard lock(disk->mutex);
  TRUSS_ASSIGN(auto inode, disk->find(op.path));
  if (!inode->directory) return fault_error(op, ENOTDIR);
  std::vector<std::string> out;
  for (const auto& [name, child] : inode->entries) out.push_back(name);
  return out;
}

Result<> SimFileSystem::make_dir(const std::string& path, std::uint32_t mode) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kMakeDir, path);
  TRUSS_ASSIGN(const bool go, proceed(*disk, *mount_, op));
  if (!go) return {};
  std::lock_guard lock(disk->mutex);
  if (disk->find(op.path)) return fault_error(op, EEXIST);
  TRUSS_ASSIGN(auto place, disk->locate(op.path));
  apply_dir_op(std::make_shared<DirOp>(
      DirOp{disk->sequence.next(), {{place.dir, place.name, make_directory_inode(mode)}}}));
  return {};
}

Result<> SimFileSystem::rename(const std::string& from, const std::string& to) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kRename, from);
  op.to = normal_path(to);
  TRUSS_ASSIGN(const bool go, proceed(*disk, *mount_, op));
  if (!go) return {};
  std::lock_guard lock(disk->mutex);
  TRUSS_ASSIGN(auto inode, disk->find(op.path));
  TRUSS_ASSIGN(auto old_place, disk->locate(op.path));
  TRUSS_ASSIGN(auto new_place, disk->locate(op.to));
  if (op.path == op.to) return {};
  if (op.to.starts_with(op.path + "/")) return fault_error(op, EINVAL);
  if (const auto target = disk->find(op.to)) {
    TRUSS_TRY(check_rename_target(op, *inode, **target));
  }
  apply_dir_op(std::make_shared<DirOp>(
      DirOp{disk->sequence.next(),
            {{old_place.dir, old_place.name, nullptr}, {new_place.dir, new_place.name, inode}}}));
  return {};
}

Result<> SimFileSystem::exchange(const std::string& a, const std::string& b) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kRename, a);
  op.to = normal_path(b);
  TRUSS_ASSIGN(const bool go, proceed(*disk, *mount_, op));
  if (!go) return {};
  std::lock_guard lock(disk->mutex);
  TRUSS_ASSIGN(auto first, disk->find(op.path));
  TRUSS_ASSIGN(auto second, disk->find(op.to));
  TRUSS_ASSIGN(auto first_place, disk->locate(op.path));
  TRUSS_ASSIGN(auto second_place, disk->locate(op.to));
  apply_dir_op(std::make_shared<DirOp>(DirOp{disk->sequence.next(),
                                             {{first_place.dir, first_place.name, second},
                                              {second_place.dir, second_place.name, first}}}));
  return {};
}

Result<> SimFileSystem::remove(const std::string& path) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kRemove, path);
  TRUSS_ASSIGN(const bool go, proceed(*disk, *mount_, op));
  if (!go) return {};
  std::lock_guard lock(disk->mutex);
  TRUSS_ASSIGN(auto inode, disk->find(op.path));
  if (!inode->entries.empty()) return fault_error(op, ENOTEMPTY);
  TRUSS_ASSIGN(auto place, disk->locate(op.path));
  apply_dir_op(
      std::make_shared<DirOp>(DirOp{disk->sequence.next(), {{place.dir, place.name, nullptr}}}));
  return {};
}

Result<> SimFileSystem::sync_dir(const std::string& path) {
  const auto disk = disk_;
  SimOp op = path_op(OpKind::kSyncDir, path);
  TRUSS_ASSIGN(const bool go, proceed(*disk, *mount_, op));
  if (!go) return {};
  std::lock_guard lock(disk->mutex);
  TRUSS_ASSIGN(auto inode, disk->find(op.path));
  if (!inode->directory) return fault_error(op, ENOTDIR);
  inode->sync_entries();
  return {};
}

std::unique_ptr<SimFileSystem> SimFileSystem::crashed(Random& random, CrashStyle style) const {
  return std::unique_ptr<SimFileSystem>(new SimFileSystem(disk_->crashed(random, style)));
}

std::unique_ptr<SimFileSystem> SimFileSystem::clone() const {
  SeededRandom unused(0);
  return crashed(unused, CrashStyle::kKeepAll);
}

std::unique_ptr<SimFileSystem> SimFileSystem::mount() const {
  return std::unique_ptr<SimFileSystem>(new SimFileSystem(disk_));
}

void SimFileSystem::unmount() { mount_->alive = false; }

void SimFileSystem::crash(Random& random, CrashStyle style) {
  auto next = disk_->crashed(random, style);
  {
    std::lock_guard lock(disk_->mutex);
    disk_->stopped = true;
    disk_->observer = nullptr;
    disk_->injector = nullptr;
  }
  disk_ = std::move(next);
}

void SimFileSystem::stop_after(std::uint64_t points) {
  std::lock_guard lock(disk_->mutex);
  disk_->stop_point = disk_->points + points;
}

bool SimFileSystem::stopped() const {
  std::lock_guard lock(disk_->mutex);
  return disk_->stopped;
}

void SimFileSystem::fail_call(std::uint64_t n, SimFault fault) {
  std::lock_guard lock(disk_->mutex);
  disk_->call_faults[n] = fault;
}

void SimFileSystem::inject(SimInjector injector) {
  std::lock_guard lock(disk_->mutex);
  disk_->injector = injector ? std::make_shared<SimInjector>(std::move(injector)) : nullptr;
}

void SimFileSystem::observe(SimObserver observer) {
  std::lock_guard lock(disk_->mutex);
  disk_->observer = observer ? std::make_shared<SimObserver>(std::move(observer)) : nullptr;
}

std::uint64_t SimFileSystem::calls() const {
  std::lock_guard lock(disk_->mutex);
  return disk_->calls;
}

std::uint64_t SimFileSystem::points() const {
  std::lock_guard lock(disk_->mutex);
  return disk_->points;
}

std::string SimFileSystem::log() const {
  std::lock_guard lock(disk_->mutex);
  std::string out;
  for (const std::string& line : disk_->lines) out += line + "\n";
  return out;
}

std::uint64_t SimFileSystem::unsynced() const { return disk_->unsynced(); }

SimInjector skip_matching(std::function<bool(const SimOp&)> match) {
  return [match = std::move(match)](const SimOp& op) -> std::optional<SimFault> {
    if (match(op)) return SimFault::skip();
    return std::nullopt;
  };
}

}  // namespace truss::testing
