#include "truss/peertool/profile.h"

#include <algorithm>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <map>
#include <memory>
#include <sstream>

#include "one_line.h"
#include "truss/raft/codec.h"
#include "truss/wal/log_reader.h"
#include "truss/wal/segment.h"

namespace truss::peertool {

template <class Archive>
void serialize(Archive& archive, PayloadSize& s) {
  archive(cereal::make_nvp("bytes", s.bytes), cereal::make_nvp("weight", s.weight));
}

template <class Archive>
void serialize(Archive& archive, Profile& p) {
  archive(cereal::make_nvp("heartbeats_per_second", p.heartbeats_per_second),
          cereal::make_nvp("appends_per_second", p.appends_per_second),
          cereal::make_nvp("posts_per_second", p.posts_per_second),
          cereal::make_nvp("append_sizes", p.append_sizes));
}

namespace {

constexpr std::uint64_t kMostPayloadBytes = 1u << 20;
constexpr std::size_t kMostSizes = 10'000;
constexpr double kLeastRate = 0.1;
constexpr double kMostRate = 1e6;
constexpr double kMostWeight = 1e12;

Result<> check(const Profile& p, const std::string& path) {
  bool any = false;
  for (const double rate : {p.heartbeats_per_second, p.appends_per_second, p.posts_per_second}) {
    if (rate != 0 && !(rate >= kLeastRate && rate <= kMostRate)) {
      return fail(Code::kInvalidArgument, path + ": rates must be 0, or 0.1 to 1000000 a second");
    }
    any = any || rate > 0;
  }
  if (!any) return fail(Code::kInvalidArgument, path + ": one of the rates must be above 0");
  double weights = 0;
  for (const PayloadSize& s : p.append_sizes) {
    if (!(s.weight >= 0 && s.weight <= kMostWeight) || s.bytes > kMostPayloadBytes) {
      return fail(Code::kInvalidArgument,
                  path + ": append sizes want weights from 0 to 1e12 and at most 1048576 bytes");
    }
    weights += s.weight;
  }
  if (!(weights > 0) || p.append_sizes.size() > kMostSizes) {
    return fail(Code::kInvalidArgument, path + ": want 1 to 10000 append sizes with some weight");
  }
  return {};
}

/// The folder with segments: DIR, DIR/wal or DIR/member/wal.
Result<std::string> wal_folder(FileSystem& files, const std::string& dir) {
  for (const char* below : {"", "/wal", "/member/wal"}) {
    if (wal::has_wal(files, dir + below)) return dir + below;
  }
  return fail(Code::kNotFound, dir + ": no WAL here, in wal or in member/wal");
}

struct OpenLog {
  std::vector<std::unique_ptr<File>> files;
  std::unique_ptr<wal::LogReader> reader;
};
Result<OpenLog> open_log(FileSystem& files, const std::string& folder) {
  TRUSS_ASSIGN(const auto names, wal::list_segments(files, folder));
  OpenLog out;
  std::vector<wal::SegmentSource> sources;
  for (const wal::SegmentName& name : names) {
    const std::string path = join_path(folder, name.file_name());
    TRUSS_ASSIGN(auto file, files.open(path, {}));
    sources.push_back({path, file.get()});
    out.files.push_back(std::move(file));
  }
  out.reader = std::make_unique<wal::LogReader>(std::move(sources));
  return out;
}

}  // namespace

Result<Profile> parse_profile(const std::string& json, const std::string& path) {
  if (nesting(json) > kMostNesting) return fail(Code::kCorruption, path + ": nested too deeply");
  Profile out;
  try {
    std::istringstream in(json);
    cereal::JSONInputArchive archive(in);
    serialize(archive, out);
    out.name = path;
  } catch (const std::exception& e) {
    return fail(Code::kCorruption, path + ": no profile: " + why(e));
  }
  TRUSS_TRY(check(out, path));
  return out;
}

std::string profile_json(const Profile& profile) {
  std::ostringstream out;
  {
    cereal::JSONOutputArchive archive(out);
    Profile copy = profile;
    serialize(archive, copy);
  }
  out << '\n';
  return out.str();
}

Result<Profile> record_profile(FileSystem& files, const std::string& dir) {
  TRUSS_ASSIGN(const std::string folder, wal_folder(files, dir));
  TRUSS_ASSIGN(const OpenLog log, open_log(files, folder));
  std::map<std::uint64_t, double> sizes;
  wal::Record record;
  for (;;) {
    const auto more = log.reader->next(record);
    if (!more && wal::is_torn(more.error())) break;  // somebody is writing
    if (!more) return tl::unexpected(more.error());
    if (!*more) break;
    if (record.type != wal::RecordType::kEntry) continue;
    TRUSS_ASSIGN(const raft::Entry entry, raft::decode_entry(record.data));
    if (entry.type != raft::EntryType::kNormal || entry.data.empty()) continue;
    const std::uint64_t bytes = std::min<std::uint64_t>(entry.data.size(), kMostPayloadBytes);
    // Steps of 1/16: few lines, and no size is off by more than 6 %.
    const std::uint64_t step = std::max<std::uint64_t>(std::bit_floor(bytes) / 16, 1);
    sizes[bytes / step * step] += 1;
  }
  if (sizes.empty()) return fail(Code::kCorruption, folder + ": no entries to learn sizes from");
  Profile out{.name = "recorded from " + folder, .append_sizes = {}};
  for (const auto& [bytes, count] : sizes) out.append_sizes.push_back({bytes, count});
  return out;
}

}  // namespace truss::peertool
