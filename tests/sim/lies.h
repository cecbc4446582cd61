#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "truss/common/testing/sim_file_system.h"

/// Disks that break one promise, to show that a sweep notices.
namespace truss::testing {

/// Names directory syncs by what they make durable: `/data/wal after rename`.
class DirSyncSites {
 public:
  /// The site's name if `op` is a directory sync, else empty. Call it with every operation.
  std::string see(const SimOp& op) {
    if (op.kind == OpKind::kSyncDir) return op.path + " after " + last_[op.path];
    if (!is_point(op.kind) || is_sync(op.kind)) return {};
    if (op.kind == OpKind::kCreate || op.kind == OpKind::kMakeDir || op.kind == OpKind::kRename ||
        op.kind == OpKind::kRemove) {
      const std::string& path = op.to.empty() ? op.path : op.to;
      if (is_scratch(path)) return {};
      last_[parent_path(path)] = op_name(op.kind);
    }
    return {};
  }

 private:
  /// Names that nobody looks for after a crash.
  static bool is_scratch(const std::string& path) {
    return (path.ends_with(".tmp") && !path.ends_with("wal.tmp")) || path.ends_with(".broken");
  }

  std::map<std::string, std::string> last_;
};

/// Does nothing but collect the sites.
inline SimInjector collect_dir_syncs(std::set<std::string>& sites) {
  return [&sites, seen = DirSyncSites()](const SimOp& op) mutable -> std::optional<SimFault> {
    if (std::string site = seen.see(op); !site.empty()) sites.insert(std::move(site));
    return std::nullopt;
  };
}

/// Skips the directory syncs of one site.
inline SimInjector skip_dir_sync(std::string site) {
  return skip_matching([site = std::move(site), seen = DirSyncSites()](const SimOp& op) mutable {
    return seen.see(op) == site;
  });
}

/// Skips the syncs of a bolt file that stand between its data pages and its meta page.
inline SimInjector skip_bolt_data_sync(std::string path, std::uint64_t page_size) {
  return skip_matching(
      [path = std::move(path), page_size, after_meta = false](const SimOp& op) mutable {
        if (op.path != path) return false;
        if (op.kind == OpKind::kWrite) after_meta = op.offset + op.length <= 2 * page_size;
        return is_sync(op.kind) && !after_meta;
      });
}

}  // namespace truss::testing
