#include "reference_log.h"
#include "truss/common/check.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/wal/maintenance.h"
#include "truss/wal/segment.h"
#include "truss/wal/wal.h"

// Any bytes as the only segment of a log: the verdict is the reference reader's, a refused log
// stays as it is, a repaired one reads as what was read before the tear, and writing goes on.

using namespace truss;
using namespace truss::wal;

namespace {

constexpr std::size_t kMaxInputBytes = 1 << 20;

class Target {
 public:
  Target() { TRUSS_CHECK(fs_.make_dir("/w").has_value()); }

  void run(ByteView bytes) {
    put(bytes);
    compare_with_reference(bytes);
    const auto before = read_log(fs_, "/w", {});
    auto opened = open_and_read(fs_, process_, "/w", {}, {});
    TRUSS_CHECK(opened.has_value() == before.has_value());
    if (!opened) {
      TRUSS_CHECK(read_file(fs_, path_).value() == bytes, "a refused log was changed");
      return;
    }
    TRUSS_CHECK(opened->contents.entries == before->entries);
    TRUSS_CHECK(opened->contents.hard_state == before->hard_state);
    go_on(*std::move(opened));
    static_cast<void>(valid_snapshots(fs_, "/w"));
  }

 private:
  void put(ByteView bytes) {
    const auto file = fs_.open(path_, {.write = true, .create = true, .truncate = true}).value();
    TRUSS_CHECK(file->pwrite(bytes, 0).has_value());
  }

  void compare_with_reference(ByteView bytes) {
    const reference::Log expected = reference::read(bytes);
    const auto file = fs_.open(path_, {}).value();
    LogReader reader({{path_, file.get()}});
    Record record;
    std::size_t count = 0;
    auto found = reader.next(record);
    for (; found && *found; found = reader.next(record), ++count) {
      TRUSS_CHECK(count < expected.records.size());
      TRUSS_CHECK(record.data == expected.records[count].data);
    }
    const auto end = found                    ? reference::End::kClean
                     : is_torn(found.error()) ? reference::End::kTorn
                                              : reference::End::kDamaged;
    TRUSS_CHECK(count == expected.records.size());
    TRUSS_CHECK(end == expected.end);
    TRUSS_CHECK(reader.end().offset == expected.end_offset);
  }

  void go_on(OpenedWal opened) {
    const raft::Index next = opened.wal->last_index() + 1;
    if (next == raft::Index(0)) return;  // a forged last index
    const bool reads_on = next == raft::Index(opened.contents.entries.size() + 1);
    const raft::Entry entry{raft::Term(1), next, raft::EntryType::kNormal, SharedBytes::copy("x")};
    opened.wal->save({}, std::vector{entry});
    opened.wal.reset();
    const auto again = read_log(fs_, "/w", {});
    if (reads_on) TRUSS_CHECK(again.has_value() && again->entries.back() == entry);
  }

  testing::SimFileSystem fs_;
  testing::SimProcess process_;
  std::string path_ = "/w/" + SegmentName{}.file_name();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Target target;
  if (size > kMaxInputBytes) return 0;
  target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
