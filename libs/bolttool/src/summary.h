#pragma once

#include <optional>
#include <string>
#include <vector>

#include "truss/bolttool/image.h"
#include "truss/tool/report.h"

namespace truss::bolttool {

/// What an etcd db says about itself, without a scan.
struct EtcdSummary {
  std::int64_t revision = 1;  ///< newest, or the compacted one if larger
  std::optional<std::int64_t> scheduled_compact;
  std::optional<std::int64_t> finished_compact;
  std::uint64_t consistent_index = 0;
  std::optional<std::uint64_t> term;
  std::string storage_version;
  std::string cluster_version;
  std::vector<std::string> members;
  std::vector<std::string> removed_members;
};

/// nullopt unless the file has etcd's buckets `key` and `meta`. Errors: kCorruption.
Result<std::optional<EtcdSummary>> read_summary(const Image& image);

void add_summary(tool::Record& record, const EtcdSummary& summary);

}  // namespace truss::bolttool
