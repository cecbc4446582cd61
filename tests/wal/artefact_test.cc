#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "frame_buffer.h"
#include "test_log.h"
#include "truss/raft/codec.h"
#include "truss/test_support/artefacts.h"
#include "truss/test_support/temp_dir.h"

using namespace truss;
using namespace truss::wal;
using rapidjson::Value;
using test_support::unpacked;

namespace {

PosixFileSystem disk;

std::uint64_t hex_of(const Value& value) { return std::stoull(value.GetString(), nullptr, 16); }

std::string wal_dir(const std::string& artefact, const std::string& dir) {
  return unpacked(artefact + ".tar.xz") + "/" + dir + "/member/wal";
}

/// Everything that one pass over all segments of a directory shows.
struct Seen {
  std::vector<std::unique_ptr<File>> files;
  std::optional<LogReader> reader;
  std::vector<std::uint64_t> records;     // by segment
  std::vector<std::uint32_t> crcs;        // at the end of each segment
  std::vector<std::uint64_t> used_bytes;  // of each segment
  std::uint64_t entries = 0;
  raft::Entry last_entry;
  raft::HardState state;
  Identity identity;
  std::vector<std::uint64_t> conf_changes;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> snapshots;
  std::optional<Error> error;

  explicit Seen(const std::string& dir) {
    std::vector<SegmentSource> sources;
    const auto names = list_segments(disk, dir).value();
    for (const SegmentName& name : names) {
      const std::string path = join_path(dir, name.file_name());
      files.push_back(disk.open(path, {}).value());
      sources.push_back({path, files.back().get()});
    }
    records.resize(files.size());
    crcs.resize(files.size());
    used_bytes.resize(files.size());
    reader.emplace(sources);
    read();
  }

  void read() {
    Record record;
    for (;;) {
      const auto found = reader->next(record);
      if (!found) error = found.error();
      if (!found || !*found) return;
      const std::size_t segment = reader->place().segment;
      ++records[segment];
      crcs[segment] = reader->crc();
      used_bytes[segment] = reader->end().offset;
      add(record);
    }
  }

  void add(const Record& record) {
    if (record.type == RecordType::kEntry) {
      ++entries;
      last_entry = raft::decode_entry(record.data).value();
      if (last_entry.type == raft::EntryType::kConfChange) {
        conf_changes.push_back(last_entry.index.value());
      }
    } else if (record.type == RecordType::kState) {
      state = raft::decode_hard_state(record.data).value();
    } else if (record.type == RecordType::kMetadata) {
      identity = decode_identity(record.data).value();
    } else if (record.type == RecordType::kSnapshot) {
      const auto mark = decode_snapshot_record(record.data).value().mark;
      snapshots.emplace_back(mark.index.value(), mark.term.value());
    }
  }
};

void check_against(const Seen& seen, const Value& wal) {
  CHECK(seen.entries == wal["entry_records"].GetUint64());
  CHECK(seen.state.commit.value() == wal["hard_state"]["commit"].GetUint64());
  CHECK(seen.state.term.value() == wal["hard_state"]["term"].GetUint64());
  CHECK(seen.state.vote.value() == hex_of(wal["hard_state"]["vote"]));
  CHECK(seen.last_entry.index.value() == wal["last_entry"]["index"].GetUint64());
  CHECK(seen.last_entry.term.value() == wal["last_entry"]["term"].GetUint64());
  CHECK(seen.identity.node_id.value() == hex_of(wal["metadata"]["node_id"]));
  CHECK(seen.identity.cluster_id == hex_of(wal["metadata"]["cluster_id"]));
  std::vector<std::uint64_t> conf_changes;
  for (const Value& index : wal["confchange_indexes"].GetArray()) {
    conf_changes.push_back(index.GetUint64());
  }
  CHECK(seen.conf_changes == conf_changes);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> snapshots;
  for (const Value& pair : wal["snapshot_records_index_term"].GetArray()) {
    snapshots.emplace_back(pair[0].GetUint64(), pair[1].GetUint64());
  }
  CHECK(seen.snapshots == snapshots);
}

void check_intact_segments(const Seen& seen, const std::string& dir, const Value& segments) {
  const auto names = list_segments(disk, dir).value();
  REQUIRE(segments.Size() == names.size());
  for (unsigned i = 0; i < segments.Size(); ++i) {
    CHECK(names[i].file_name() == segments[i]["name"].GetString());
    CHECK(disk.stat(join_path(dir, names[i].file_name()))->size ==
          segments[i]["file_bytes"].GetUint64());
    CHECK(seen.records[i] == segments[i]["records"].GetUint64());
    CHECK(seen.crcs[i] == hex_of(segments[i]["rolling_crc_at_end"]));
    CHECK(seen.used_bytes[i] == segments[i]["valid_bytes"].GetUint64());
  }
}

/// Encodes every record again and compares with the file, byte by byte.
void check_same_bytes(const std::string& dir) {
  FrameBuffer frames;
  const auto names = list_segments(disk, dir).value();
  for (const SegmentName& name : names) {
    const std::string path = join_path(dir, name.file_name());
    const auto file = disk.open(path, {}).value();
    LogReader reader({{path, file.get()}});
    Record record;
    while (reader.next(record).value_or(false)) {
      switch (record.type) {
        case RecordType::kCrc:
          frames.add_crc();
          break;
        case RecordType::kEntry:
          frames.add_entry(raft::decode_entry(record.data).value());
          break;
        case RecordType::kState:
          frames.add(record.type, raft::encoded(raft::decode_hard_state(record.data).value()));
          break;
        case RecordType::kMetadata:
          frames.add(record.type, encode_identity(decode_identity(record.data).value()));
          break;
        case RecordType::kSnapshot:
          frames.add(record.type,
                     encode_snapshot_record(decode_snapshot_record(record.data).value()));
          break;
      }
    }
    const std::uint64_t used = reader.end().offset;
    CHECK(frames.bytes() == used);
    testing::SimFileSystem memory;
    const auto copy = memory.open("/f", {.write = true, .create = true}).value();
    REQUIRE(frames.write_to(*copy, 0).has_value());
    std::string original(used, '\0');
    REQUIRE(file->pread(original, 0).value() == used);
    CHECK_MESSAGE(read_file(memory, "/f").value() == original, "differs: " << path);
  }
}

/// A private copy of an artefact's WAL directory.
struct Copy {
  test_support::TempDir dir;
  std::string wal = dir / "wal";

  Copy(const std::string& artefact, const std::string& name) {
    std::filesystem::copy(wal_dir(artefact, name), wal, std::filesystem::copy_options::recursive);
  }
};

}  // namespace

TEST_CASE("every real log is read with the values of the manifest") {
  int directories = 0;
  test_support::for_each_directory(
      test_support::artefacts(),
      [&](const std::string& artefact, const std::string& dir, const Value& expected) {
        CAPTURE(artefact);
        CAPTURE(dir);
        ++directories;
        const Value& wal = expected["wal"];
        const Seen seen(wal_dir(artefact, dir));
        check_against(seen, wal);
        const Value& bad = wal["segments"][0]["first_bad_record_offset"];
        if (!bad.IsNull()) {
          REQUIRE(seen.error.has_value());
          CHECK(seen.reader->place() == Place{0, bad.GetUint64()});
          CHECK(seen.reader->end() == Place{0, bad.GetUint64()});
          CHECK(is_torn(*seen.error) == (artefact == "torn-tail-sector"));
        } else {
          CHECK(seen.error.has_value() == (artefact == "torn-tail-truncated"));
          check_intact_segments(seen, wal_dir(artefact, dir), wal["segments"]);
        }
      });
  CHECK(directories == 10);
}

TEST_CASE("a real log encoded again from its records is the same, byte for byte") {
  check_same_bytes(wal_dir("single", "s1.etcd"));
  check_same_bytes(wal_dir("cluster3", "c1.etcd"));
  check_same_bytes(wal_dir("cluster3-removed-member", "c4.etcd"));
  check_same_bytes(wal_dir("restored", "rest.etcd"));
  check_same_bytes(wal_dir("segments2", "seg.etcd"));
}

TEST_CASE("real logs are read from their snapshots on") {
  const auto from_201 = read_log(disk, wal_dir("single", "s1.etcd"), mark(201, 2)).value();
  CHECK(from_201.entries.size() == 107);
  CHECK(from_201.entries.front().index == raft::Index(202));
  CHECK(from_201.entries.back().index == raft::Index(308));
  CHECK(from_201.report.snapshot_found);
  CHECK(from_201.report.findings.empty());
  CHECK(from_201.report.stray_bytes == 0);

  const auto learner = read_log(disk, wal_dir("cluster3-removed-member", "c4.etcd"), mark(133, 2));
  CHECK(learner->entries.size() == 95);

  const auto wrong_term = read_log(disk, wal_dir("single", "s1.etcd"), mark(201, 3));
  REQUIRE_FALSE(wrong_term.has_value());
  CHECK(wrong_term.error().message.find("snapshot mismatch") != std::string::npos);

  const auto tail_only = read_log(disk, wal_dir("segments2", "seg.etcd"), mark(70, 2)).value();
  CHECK(tail_only.entries.size() == 4);
  CHECK_FALSE(tail_only.report.snapshot_found);
}

TEST_CASE("valid snapshots and verification of a real log") {
  const std::string dir = wal_dir("cluster3", "c3.etcd");
  std::vector<std::uint64_t> indexes;
  const auto valid = valid_snapshots(disk, dir).value();
  for (const auto& record : valid) {
    indexes.push_back(record.mark.index.value());
    CHECK_FALSE(record.conf_state.has_value());
  }
  CHECK(indexes == std::vector<std::uint64_t>{0, 101, 218, 319});
  CHECK(verify(disk, dir, mark(218, 2)).value() == hard_state(2, 0x95b01bcc5da1ac85, 379));
  CHECK(verify(disk, dir, mark(219, 2)).error().code == Code::kNotFound);
  CHECK(verify(disk, wal_dir("bitflip-middle", "s1.etcd"), {}).error().code == Code::kCorruption);
  CHECK(valid_snapshots(disk, wal_dir("bitflip-middle", "s1.etcd")).error().code ==
        Code::kCorruption);
}

TEST_CASE("real torn tails are repaired at the offset where real etcd cuts them") {
  for (const std::string artefact : {"torn-tail-sector", "torn-tail-truncated"}) {
    CAPTURE(artefact);
    const Copy copy(artefact, "s1.etcd");
    const std::string segment = copy.wal + "/" + kFirstSegment;
    const auto before = std::filesystem::file_size(segment);
    testing::SimProcess process;
    auto opened = open_and_read(disk, process, copy.wal, mark(201, 2), {});
    REQUIRE(opened.has_value());
    CHECK(opened->repaired);
    const Value& expected = test_support::manifest(artefact);
    const std::uint64_t cut = expected["expect"]["truncate_to"].GetUint64();
    CHECK(std::filesystem::file_size(segment) == cut);
    CHECK(std::filesystem::file_size(segment + ".broken") == before);
    CHECK(opened->contents.entries.back().index.value() ==
          expected["dirs"]["s1.etcd"]["wal"]["last_entry"]["index"].GetUint64());
  }
}

TEST_CASE("a real log with a flipped bit is refused and left as it is") {
  const Copy copy("bitflip-middle", "s1.etcd");
  const std::string segment = copy.wal + "/" + kFirstSegment;
  const auto read = [&] {
    std::ifstream in(segment, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string before = read();
  testing::SimProcess process;
  const auto opened = open_and_read(disk, process, copy.wal, {}, {});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message.find(std::string(kFirstSegment) + ": crc mismatch") !=
        std::string::npos);
  CHECK(opened.error().message.find("at offset 16176") != std::string::npos);
  CHECK(read() == before);
  CHECK(disk.list(copy.wal).value() == std::vector<std::string>{kFirstSegment});
}

TEST_CASE("writing goes on where a real log ends") {
  const Copy copy("single", "s1.etcd");
  testing::SimProcess process;
  {
    auto opened = open_and_read(disk, process, copy.wal, mark(201, 2), {}).value();
    CHECK(opened.wal->last_index() == raft::Index(308));
    opened.wal->save(hard_state(3, 0, 308), std::vector{entry(3, 309, "new")});
    opened.wal->close();
  }
  const auto again = read_log(disk, copy.wal, mark(201, 2)).value();
  CHECK(again.entries.back() == entry(3, 309, "new"));
  CHECK(again.hard_state == hard_state(3, 0, 308));
  CHECK(std::filesystem::file_size(copy.wal + "/" + kFirstSegment) == 64'000'000);
}
