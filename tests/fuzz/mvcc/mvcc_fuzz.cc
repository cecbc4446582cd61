#include <cstdint>
#include <cstdlib>

#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/lease/lessor.h"
#include "truss/mvcc/store.h"

// The input is a whole db file. Opening it, reading all of it, hashing, compacting and writing must
// end in answers, errors or an orderly fatal(), whatever it holds.
using namespace truss;
using namespace truss::mvcc;

namespace {

constexpr ByteView kAll{"\0", 1};

void use(Backend& backend, Store& store, testing::SimRuntime& world, Clock& clock) {
  lease::Lessor lessor(backend, clock, {});
  if (lessor.restore()) store.set_lease_links(&lessor);
  (void)store.range({.key = kAll, .range_end = kAll});
  (void)store.range({.key = kAll, .range_end = kAll, .revision = store.current_revision() - 1});
  (void)store.hash_kv(0);
  (void)backend.hash(HashLevel::k34);
  if (store.current_revision() < INT64_MAX - 2) {
    WriteTxn txn = store.write();
    txn.put("fuzz", "value", kNoLease);
    txn.delete_range("a", "c");
  }
  (void)store.compact(store.current_revision());
  world.run_for(std::chrono::seconds(1));
  (void)store.range({.key = kAll, .range_end = kAll});
  store.set_lease_links(nullptr);
}

void open_and_use(FileSystem& disk, testing::SimRuntime& world, testing::SimMember& member) {
  NullLogger logger;
  auto executor = member.make_executor("all");
  (void)member.call([&] {
    auto backend =
        Backend::open(disk, *executor, member.clock(), member.process(), logger, {.path = "/db"});
    if (!backend) return;
    auto store = Store::open(**backend, *executor, member.clock(), logger, {});
    if (store) use(**backend, **store, world, member.clock());
  });
  member.kill();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  testing::SimFileSystem disk({.max_file_bytes = 1 << 26});
  {
    auto file = disk.open("/db", {.write = true, .create = true});
    if (!file || !(*file)->pwrite({reinterpret_cast<const char*>(data), size}, 0)) std::abort();
  }
  testing::SimRuntime world(1);
  testing::SimMember member(world, "m");
  open_and_use(disk, world, member);
  return 0;
}
