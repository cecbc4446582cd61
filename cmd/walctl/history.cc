#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <ostream>
#include <tuple>

#include "entry_output.h"
#include "tool.h"
#include "truss/tool/exit_code.h"
#include "truss/tool/report.h"
#include "truss/waltool/revisions.h"

namespace truss::walctl {
namespace {

using waltool::LogEntry;
using waltool::Operation;
using waltool::OperationKind;
using waltool::Touch;

constexpr auto kPollInterval = std::chrono::milliseconds(10);

/// True if the touched range and the keys with the prefix (or the one key) have one in common.
bool meets(const Touch& touch, ByteView key, bool exact) {
  const bool one = touch.range_end.empty();
  if (exact) {
    if (one) return touch.key == key;
    return touch.key <= key && (touch.range_end == ByteView("\0", 1) || key < touch.range_end);
  }
  if (one || touch.key >= key) return touch.key.starts_with(key);
  return touch.range_end == ByteView("\0", 1) || touch.range_end > key;
}

struct LogOptions {
  std::string dir;
  std::string key;
  bool exact = false;
  bool reads = false;
  bool follow = false;
  std::optional<std::uint64_t> from_revision;
  std::uint64_t from_index = 0;
};

bool wanted(const LogOptions& options, const Operation& operation) {
  return std::ranges::any_of(operation.touches, [&](const Touch& touch) {
    return (options.reads || touch.kind != OperationKind::kRange) &&
           meets(touch, options.key, options.exact);
  });
}

Result<int> follow(Tool& tool, const LogOptions& options, tool::Console& console) {
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  const tool::InterruptFlag interrupt;
  waltool::Follower follower(tool.files, where);
  EntryOutput output(tool.format(), console.out, true);
  while (!interrupt.raised() && console.out) {
    TRUSS_TRY(follower.poll([&](const LogEntry& entry) {
      if (entry.index.value() < options.from_index) return true;
      const auto operation = waltool::decode_operation(entry.type, entry.data);
      if (options.key.empty() || wanted(options, operation)) output.add(entry, operation);
      return !interrupt.raised();
    }));
    output.flush();
    tool.environment.sleep(kPollInterval);
  }
  return tool::kInterrupted;
}

Result<int> log(Tool& tool, const LogOptions& options, tool::Console& console) {
  if (options.follow) return follow(tool, options, console);
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  std::uint64_t first = options.from_index;
  if (options.from_revision) {
    TRUSS_ASSIGN(const raft::Index index,
                 waltool::index_of_revision(tool.files, where,
                                            static_cast<std::int64_t>(*options.from_revision)));
    first = std::max(first, index.value());
  }
  EntryOutput output(tool.format(), console.out);
  TRUSS_TRY(waltool::each_entry(tool.files, where, [&](const LogEntry& entry) {
    if (entry.index.value() < first) return true;
    // Most entries don't hold the key at all.
    if (entry.data.find(options.key) == ByteView::npos && !options.exact && entry.data.size() < 4) {
      return true;
    }
    const auto operation = waltool::decode_operation(entry.type, entry.data);
    if (wanted(options, operation)) output.add(entry, operation);
    return true;
  }));
  output.finish();
  return tool::kFine;
}

struct Total {
  std::uint64_t writes = 0;
  std::uint64_t bytes = 0;
};

struct TopOptions {
  std::string dir;
  std::string by = "prefix";
  std::uint64_t limit = 20;
};

/// `/a/b/` of `/a/b/c`; the key itself if it has no slash.
std::string prefix_of(ByteView key) {
  const std::size_t slash = key.rfind('/');
  return std::string(slash == ByteView::npos || slash == 0 ? key : key.substr(0, slash + 1));
}

Result<int> top(Tool& tool, const TopOptions& options, tool::Console& console) {
  TRUSS_ASSIGN(const auto where, tool.locate(options.dir));
  std::map<std::string, Total> totals;
  const auto count = [&](std::string name, std::uint64_t bytes) {
    Total& total = totals[std::move(name)];
    ++total.writes;
    total.bytes += bytes;
  };
  TRUSS_TRY(waltool::each_entry(tool.files, where, [&](const LogEntry& entry) {
    const auto operation = waltool::decode_operation(entry.type, entry.data);
    if (options.by == "user") count(operation.user, entry.data.size());
    if (options.by == "operation") count(operation.name, entry.data.size());
    if (options.by == "user" || options.by == "operation") return true;
    for (const Touch& touch : operation.touches) {
      if (touch.kind == OperationKind::kRange) continue;
      count(options.by == "key" ? std::string(touch.key) : prefix_of(touch.key),
            touch.key.size() + touch.value.size());
    }
    return true;
  }));
  std::vector<std::pair<std::string, Total>> rows(totals.begin(), totals.end());
  std::ranges::sort(rows, [](const auto& a, const auto& b) {
    return std::tie(b.second.bytes, a.first) < std::tie(a.second.bytes, b.first);
  });
  rows.resize(std::min<std::size_t>(rows.size(), options.limit));
  tool::Table table({{"BYTES", "bytes"}, {"WRITES", "writes"}, {"NAME", "name"}});
  for (auto& [name, total] : rows)
    table.add({total.bytes, total.writes, tool::Bytes{std::move(name)}});
  console.out << table.render(tool.format());
  return tool::kFine;
}

}  // namespace

void add_history(tool::Command& root, Tool& tool) {
  auto options = std::make_shared<LogOptions>();
  root.command("log", "print the entries that touch keys with a prefix")
      .argument("DIR", "data directory, member folder or folder of segments", &options->dir,
                tool::Hint::kFolder)
      .option("--key", "PREFIX", "prefix of the keys", &options->key)
      .option("--from", "REV", "begin with the entry that made this revision (needs the db)",
              &options->from_revision)
      .option("--from-index", "N", "begin with this entry", &options->from_index)
      .flag("--reads", "also ranges that went through the log", &options->reads)
      .flag("-f,--follow", "go on with what a running member appends, until interrupted",
            &options->follow)
      .example("Who writes below a prefix:",
               "walctl log --key /registry/leases/ /var/lib/etcd/default")
      .example("As it happens:", "walctl log -f --key /registry/ -o json /var/lib/etcd/default")
      .run([&tool, options](tool::Console& console) {
        return tool.run(console, [&] { return log(tool, *options, console); });
      });
  auto one = std::make_shared<LogOptions>();
  one->exact = true;
  root.command("history", "print what happened to one key, as far as the log goes back")
      .argument("DIR", "data directory, member folder or folder of segments", &one->dir,
                tool::Hint::kFolder)
      .argument("KEY", "the key", &one->key)
      .example("Who deleted it:", "walctl history /var/lib/etcd/default /registry/pods/default/web")
      .run([&tool, one](tool::Console& console) {
        return tool.run(console, [&] { return log(tool, *one, console); });
      });
  auto most = std::make_shared<TopOptions>();
  root.command("top", "sum up what the log's entries write")
      .argument("DIR", "data directory, member folder or folder of segments", &most->dir,
                tool::Hint::kFolder)
      .choice("--by", "WHAT", "what to sum up by", &most->by,
              {"prefix", "key", "operation", "user"})
      .option("-n,--limit", "N", "lines", &most->limit)
      .example("Ten busiest prefixes:", "walctl top -n 10 /var/lib/etcd/default")
      .run([&tool, most](tool::Console& console) {
        return tool.run(console, [&] { return top(tool, *most, console); });
      });
}

}  // namespace truss::walctl
