#include <doctest/doctest.h>

#include <algorithm>

#include "truss/common/coding.h"
#include "truss/common/testing/memory_logger.h"
#include "truss/snap/image.h"
#include "truss/snap/snap_file.h"
#include "truss/snap/snapshotter.h"
#include "truss/snap/v2_store.h"
#include "truss/test_support/artefacts.h"

using namespace truss;
using namespace truss::snap;
using rapidjson::Value;

namespace {

PosixFileSystem disk;

std::vector<raft::NodeId> ids_of(const Value& list) {
  std::vector<raft::NodeId> out;
  for (const Value& id : list.GetArray()) {
    out.emplace_back(std::stoull(id.GetString(), nullptr, 16));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<raft::NodeId> sorted(std::vector<raft::NodeId> ids) {
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string snap_dir(const std::string& artefact, const std::string& dir) {
  return test_support::unpacked(artefact + ".tar.xz") + "/" + dir + "/member/snap";
}

void check_file(const std::string& bytes, const Value& expected) {
  PbReader envelope(bytes);
  REQUIRE(envelope.next());
  CHECK(envelope.varint() == std::stoull(expected["crc"].GetString(), nullptr, 16));

  const raft::Snapshot snapshot = decode_snap_file(bytes).value();
  const raft::SnapshotMetadata& metadata = snapshot.metadata;
  CHECK(metadata.index.value() == expected["index"].GetUint64());
  CHECK(metadata.term.value() == expected["term"].GetUint64());
  CHECK(sorted(metadata.conf_state.voters) == ids_of(expected["voters"]));
  CHECK(sorted(metadata.conf_state.learners) == ids_of(expected["learners"]));
  CHECK(snap_file_name({metadata.index, metadata.term}) == expected["name"].GetString());
  CHECK_MESSAGE(encode_snap_file(snapshot) == bytes, "encoded again, the file differs");

  const V2Membership membership = parse_v2_store(snapshot.data.view()).value();
  std::vector<raft::NodeId> members;
  for (const V2Member& member : membership.members) members.push_back(member.id);
  CHECK(members == ids_of(expected["v2_members"]));
  CHECK(parse_v2_store(write_v2_store(membership)).value() == membership);
}

}  // namespace

TEST_CASE("every real .snap file is read with the values of the manifest") {
  int files = 0;
  test_support::for_each_directory(
      test_support::artefacts(),
      [&](const std::string& artefact, const std::string& dir, const Value& expected) {
        for (const Value& snap : expected["snap"].GetArray()) {
          const std::string path = join_path(snap_dir(artefact, dir), snap["name"].GetString());
          CAPTURE(path);
          check_file(read_file(disk, path).value(), snap);
          ++files;
        }
      });
  CHECK(files == 15);
}

TEST_CASE("names, URLs, learners, removed ids and version of real documents") {
  const auto document = [](const std::string& artefact, const std::string& dir) {
    testing::MemoryLogger log;
    Snapshotter snapshotter(disk, log, snap_dir(artefact, dir));
    return parse_v2_store(snapshotter.load_newest().value().data.view()).value();
  };
  const V2Membership single = document("single", "s1.etcd");
  CHECK(single.version == "3.4.0");
  CHECK(single.members == std::vector<V2Member>{{raft::NodeId(0xd906e0ff60cc6fb6),
                                                 {"http://127.0.0.1:24801"},
                                                 false,
                                                 "s1",
                                                 {"http://127.0.0.1:24791"}}});
  CHECK(single.removed.empty());

  const V2Membership cluster = document("cluster3", "c1.etcd");
  CHECK(cluster.removed ==
        std::vector{raft::NodeId(0x2acbdccf6005782f), raft::NodeId(0xf61728b820f8c6d4)});
  const V2Membership joined = document("cluster3-removed-member", "c4.etcd");
  const auto learner = std::find_if(joined.members.begin(), joined.members.end(),
                                    [](const V2Member& member) { return member.is_learner; });
  REQUIRE(learner != joined.members.end());
  CHECK(learner->id == raft::NodeId(0xf61728b820f8c6d4));

  const V2Membership restored = document("restored", "rest.etcd");
  CHECK(restored.members[0].id == raft::NodeId(0xcbc6d2d8580cc01));
  CHECK(restored.members[0].name.empty());
  CHECK(restored.version.empty());
}

TEST_CASE("the snapshot file of a real etcdctl verifies") {
  const Value& expected = test_support::manifest("snapshot.db")["expect"];
  const ImageInfo info = verify_image(disk, test_support::artefact_dir() + "/snapshot.db").value();
  CHECK(info.hashed);
  CHECK(info.image_bytes == expected["size"].GetUint64() - 32);
  CHECK(to_hex({info.hash.data(), info.hash.size()}) == expected["trailer_sha256"].GetString());
}
