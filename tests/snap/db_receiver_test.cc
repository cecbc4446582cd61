#include "truss/snap/db_receiver.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "truss/common/testing/sim_file_system.h"

using namespace truss;
using namespace truss::snap;
using testing::CrashStyle;
using testing::SimFileSystem;

namespace {

using Names = std::vector<std::string>;
constexpr raft::Index kIndex{0x20};
const Names kReceived = {"0000000000000020.snap.db"};

struct ReceiverDir {
  SimFileSystem fs{{.capacity_bytes = 1 << 20}};

  ReceiverDir() {
    REQUIRE(fs.make_dir("/snap").has_value());
    REQUIRE(fs.sync_dir("/").has_value());
  }
  std::unique_ptr<DbReceiver> receiver(std::optional<std::uint64_t> expected = std::nullopt) {
    return DbReceiver::create(fs, "/snap", expected).value();
  }
  Names names() { return fs.list("/snap").value(); }
  std::string bytes() { return read_file(fs, "/snap/" + kReceived.front()).value(); }
};

}  // namespace

TEST_CASE("a received database is on disk under its name, whatever a crash does") {
  ReceiverDir dir;
  const auto receiver = dir.receiver(7);
  REQUIRE(receiver->write("abc"));
  REQUIRE(receiver->write("defg"));
  CHECK(receiver->size_bytes() == 7);
  CHECK(receiver->finish(kIndex).value() == "/snap/" + kReceived.front());
  SeededRandom random(1);
  const auto crashed = dir.fs.crashed(random, CrashStyle::kLoseAll);
  CHECK(crashed->list("/snap").value() == kReceived);
  CHECK(read_file(*crashed, "/snap/" + kReceived.front()).value() == "abcdefg");
}

TEST_CASE("a watcher sees every byte once, in order, and then the file") {
  struct Watcher final : DbWatcher {
    std::vector<Range> block(std::uint64_t offset, ByteView bytes) override {
      CHECK(offset == seen.size());
      seen += bytes;
      return {{offset, 1}};
    }
    void whole(const std::string& path) override { paths.push_back(path); }
    std::string seen;
    Names paths;
  };
  ReceiverDir dir;
  const auto watcher = std::make_shared<Watcher>();
  SeededRandom random(3);
  std::string all(100'001, '\0');  // not a multiple of what is written at once
  for (char& c : all) c = static_cast<char>(random.next());
  auto receiver = DbReceiver::create(dir.fs, "/snap", std::nullopt, 8192).value();
  receiver->watch(watcher);
  for (ByteView left = all; !left.empty();) {
    const ByteView piece = left.substr(0, 1 + random.below(10'000));
    REQUIRE(receiver->write(piece));
    left.remove_prefix(piece.size());
  }
  CHECK(watcher->paths.empty());
  REQUIRE(receiver->finish(kIndex));
  CHECK(watcher->seen == all);
  CHECK(watcher->paths == Names{"/snap/" + kReceived.front()});
  // One whose name is taken goes, so nobody may think it were that file.
  auto second = DbReceiver::create(dir.fs, "/snap").value();
  const auto other = std::make_shared<Watcher>();
  second->watch(other);
  REQUIRE(second->write("other"));
  REQUIRE(second->finish(kIndex));
  CHECK(other->paths.empty());
}

TEST_CASE(
    "what comes in pieces of any size is the file, on a real disk too, and may be any length") {
  for (const std::size_t size : {1u, 4096u, 1u << 20, (1u << 20) + 1, (20u << 20) + 12345}) {
    CAPTURE(size);
    char path[] = "/tmp/truss-receive-XXXXXX";
    const std::string dir = ::mkdtemp(path);
    PosixFileSystem fs;
    SeededRandom random(size);
    std::string all(size, '\0');
    for (char& c : all) c = static_cast<char>(random.next());
    auto receiver = DbReceiver::create(fs, dir).value();
    for (ByteView left = all; !left.empty();) {
      const ByteView piece = left.substr(0, 1 + random.below(700'000));
      REQUIRE(receiver->write(piece));
      left.remove_prefix(piece.size());
    }
    const auto name = receiver->finish(kIndex);
    REQUIRE(name);
    const bool same = read_file(fs, *name).value() == all;
    CHECK(same);
    REQUIRE(remove_all(fs, dir));
  }
}

TEST_CASE("a transfer broken off leaves nothing; two at once don't meet") {
  ReceiverDir dir;
  auto first = dir.receiver();
  auto second = dir.receiver();
  CHECK(dir.names() == Names{"tmp1", "tmp2"});
  REQUIRE(first->write("half"));
  first.reset();
  CHECK(dir.names() == Names{"tmp2"});
  REQUIRE(second->write("whole"));
  REQUIRE(second->finish(kIndex));
  second.reset();
  CHECK(dir.names() == kReceived);
}

TEST_CASE("a file that has the name already stays") {
  ReceiverDir dir;
  const auto first = dir.receiver();
  REQUIRE(first->write("first"));
  REQUIRE(first->finish(kIndex));
  const auto second = dir.receiver();
  REQUIRE(second->write("second"));
  REQUIRE(second->finish(kIndex));
  CHECK(dir.names() == kReceived);
  CHECK(dir.bytes() == "first");
}

TEST_CASE("too few, too many and no bytes are refused") {
  ReceiverDir dir;
  const auto empty = dir.receiver();
  CHECK(empty->finish(kIndex).error().code == Code::kCorruption);
  const auto few = dir.receiver(5);
  REQUIRE(few->write("1234"));
  CHECK(few->finish(kIndex).error().code == Code::kCorruption);
  const auto many = dir.receiver(3);
  CHECK(many->write("1234").error().code == Code::kCorruption);
}

TEST_CASE("a full disk shows before the transfer if the size is known, else when it is full") {
  ReceiverDir dir;
  const auto known = DbReceiver::create(dir.fs, "/snap", 2 << 20);
  REQUIRE(!known);
  CHECK(dir.names().empty());
  const auto unknown = dir.receiver();
  REQUIRE(unknown->write(std::string(900 << 10, 'x')));
  CHECK(!unknown->write(std::string(2 << 20, 'x')));
}

TEST_CASE("a failed sync or rename is an error, and the name stays free") {
  for (const auto kind : {testing::OpKind::kSync, testing::OpKind::kRename}) {
    ReceiverDir dir;
    auto receiver = dir.receiver();
    REQUIRE(receiver->write("abc"));
    dir.fs.inject([kind](const testing::SimOp& op) -> std::optional<testing::SimFault> {
      if (op.kind != kind) return std::nullopt;
      return testing::SimFault::error(5);
    });
    CHECK(!receiver->finish(kIndex));
    receiver.reset();
    CHECK(dir.names().empty());
  }
}
