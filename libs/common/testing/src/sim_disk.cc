#include "sim_disk.h"

#include <cerrno>

namespace truss::testing {
namespace {

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    std::string name = path.substr(at, slash - at);
    at = slash + 1;
    if (name == "..") {
      if (!out.empty()) out.pop_back();
    } else if (!name.empty() && name != ".") {
      out.push_back(std::move(name));
    }
  }
  return out;
}

template <class Visit>
void each_inode(const Inode& inode, const Visit& visit) {
  visit(inode);
  for (const auto& [name, child] : inode.entries) each_inode(*child, visit);
}

}  // namespace

std::string_view op_name(OpKind kind) {
  switch (kind) {
    case OpKind::kOpen:
      return "open";
    case OpKind::kRead:
      return "read";
    case OpKind::kStat:
      return "stat";
    case OpKind::kList:
      return "list";
    case OpKind::kLock:
      return "lock";
    case OpKind::kMap:
      return "map";
    case OpKind::kCreate:
      return "create";
    case OpKind::kWrite:
      return "write";
    case OpKind::kTruncate:
      return "truncate";
    case OpKind::kAllocate:
      return "allocate";
    case OpKind::kMakeDir:
      return "mkdir";
    case OpKind::kRename:
      return "rename";
    case OpKind::kRemove:
      return "remove";
    case OpKind::kSyncData:
      return "fdatasync";
    case OpKind::kSync:
      return "fsync";
    case OpKind::kSyncDir:
      return "fsync-dir";
  }
  return "?";
}

std::string SimOp::label() const {
  std::string out = "#" + std::to_string(call);
  if (point > 0) out += " (point " + std::to_string(point) + ")";
  out += " " + std::string(op_name(kind)) + " " + path;
  if (!to.empty()) out += " -> " + to;
  if (kind == OpKind::kWrite || kind == OpKind::kRead) {
    out += " [" + std::to_string(offset) + ", " + std::to_string(offset + length) + ")";
  } else if (kind == OpKind::kTruncate || kind == OpKind::kAllocate) {
    out += " to " + std::to_string(length);
  }
  return out;
}

std::string normal_path(const std::string& path) {
  std::string out;
  for (const std::string& name : split(path)) out += "/" + name;
  return out.empty() ? "/" : out;
}

Unexpected fault_error(const SimOp& op, int sys_errno) {
  return fail_errno(std::string(op_name(op.kind)) + " " + op.path, sys_errno);
}

SimDisk::SimDisk(SimDiskOptions disk_options, InodePtr tree)
    : options(disk_options), root(std::move(tree)) {}

std::optional<SimFault> SimDisk::enter(SimOp& op, const Mount& mount) {
  if (!mount.alive) return SimFault::error(EIO);
  std::unique_lock lock(mutex);
  number(op);
  if (stopped) return SimFault::error(EIO);
  if (options.log_lines > 0) {
    lines.push_back(op.label());
    if (lines.size() > options.log_lines) lines.pop_front();
  }
  const auto inject = injector;
  const auto observe = is_point(op.kind) && !observing ? observer : nullptr;
  std::optional<SimFault> fault;
  if (const auto it = call_faults.find(op.call); it != call_faults.end()) fault = it->second;
  if (observe) observing = true;
  lock.unlock();
  if (observe) {
    (*observe)(op);
    lock.lock();
    observing = false;
    lock.unlock();
  }
  if (!fault && inject) fault = (*inject)(op);
  return fault;
}

void SimDisk::number(SimOp& op) {
  op.call = ++calls;
  if (!is_point(op.kind)) return;
  op.point = ++points;
  if (points >= stop_point) stopped = true;
}

Result<InodePtr> SimDisk::find(const std::string& path) const {
  InodePtr at = root;
  for (const std::string& name : split(path)) {
    if (!at->directory) return fail_errno(path, ENOTDIR);
    const auto it = at->entries.find(name);
    if (it == at->entries.end()) return fail_errno(path, ENOENT);
    at = it->second;
  }
  return at;
}

Result<SimDisk::Place> SimDisk::locate(const std::string& path) const {
  auto names = split(path);
  if (names.empty()) return fail_errno(path, EBUSY);
  Place out;
  out.name = std::move(names.back());
  std::string above;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) above += "/" + names[i];
  TRUSS_ASSIGN(out.dir, find(above));
  if (!out.dir->directory) return fail_errno(path, ENOTDIR);
  return out;
}

bool SimDisk::fits(std::uint64_t more_bytes) const {
  if (options.capacity_bytes == UINT64_MAX) return true;
  std::uint64_t used = more_bytes;
  each_inode(*root, [&](const Inode& inode) { used += inode.data ? inode.data->size() : 0; });
  return used <= options.capacity_bytes;
}

std::shared_ptr<SimDisk> SimDisk::crashed(Random& random, CrashStyle style) const {
  std::lock_guard lock(mutex);
  Survival survival(random, style, sequence.last);
  return std::make_shared<SimDisk>(options, crash_tree(*root, survival));
}

std::uint64_t SimDisk::unsynced() const {
  std::lock_guard lock(mutex);
  std::uint64_t n = 0;
  each_inode(*root, [&](const Inode& inode) {
    n += inode.pending.size() + (inode.data ? inode.data->unsynced() : 0);
  });
  return n;
}

}  // namespace truss::testing
