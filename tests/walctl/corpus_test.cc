#include "corpus.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>

using namespace truss;
using namespace truss::walctl_test;

namespace {

using Damage = std::function<bool(const ModelLog&, Files&, std::mt19937_64&)>;

const ModelRecord& some(const ModelLog& log, Kind kind, std::mt19937_64& random) {
  for (;;) {
    const ModelRecord& r = log.records[random() % log.records.size()];
    if (r.kind == kind) return r;
  }
}

void flip(const ModelLog& log, Files& files, const ModelRecord& r, std::uint64_t at,
          std::uint64_t bit) {
  auto& byte = files[log.names[r.segment]][at];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
}

/// A bit of an entry's payload, but for the fields in front that give its index.
bool flip_entry(const ModelLog& log, Files& files, std::mt19937_64& random) {
  const ModelRecord& r = some(log, Kind::kEntry, random);
  flip(log, files, r, r.data_end - 1 - random() % 15, random() % 7);
  return true;
}

bool flip_two_entries(const ModelLog& log, Files& files, std::mt19937_64& random) {
  return flip_entry(log, files, random) && flip_entry(log, files, random);
}

bool flip_state(const ModelLog& log, Files& files, std::mt19937_64& random) {
  const ModelRecord& r = some(log, Kind::kState, random);
  flip(log, files, r, r.data_begin + random() % (r.data_end - r.data_begin), random() % 8);
  return true;
}

bool flip_stored_crc(const ModelLog& log, Files& files, std::mt19937_64& random) {
  const ModelRecord& r = some(log, Kind::kEntry, random);
  flip(log, files, r, r.crc_begin, random() % 7);
  return true;
}

bool flip_length(const ModelLog& log, Files& files, std::mt19937_64& random) {
  const ModelRecord& r = some(log, Kind::kEntry, random);
  flip(log, files, r, r.offset + random() % 8, random() % 8);
  return true;
}

bool zero_sectors(const ModelLog& log, Files& files, std::mt19937_64& random) {
  const std::size_t segment = random() % log.names.size();
  std::string& bytes = files[log.names[segment]];
  const std::uint64_t used = log.used_bytes(segment);
  const std::uint64_t begin = random() % (used / 512 + 1) * 512;
  const std::uint64_t end = std::min<std::uint64_t>(begin + 512 * (1 + random() % 3), bytes.size());
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
            bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
  return bytes != log.files.at(log.names[segment]);
}

bool zero_tail(const ModelLog& log, Files& files, std::mt19937_64& random) {
  std::string& bytes = files[log.names.back()];
  const std::uint64_t used = log.used_bytes(log.names.size() - 1);
  const std::uint64_t begin = random() % (used / 512 + 1) * 512;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end(), '\0');
  return true;
}

bool cut_tail(const ModelLog& log, Files& files, std::mt19937_64& random) {
  std::string& bytes = files[log.names.back()];
  bytes.resize(random() % log.used_bytes(log.names.size() - 1));
  return true;
}

bool cut_older(const ModelLog& log, Files& files, std::mt19937_64& random) {
  if (log.names.size() < 2) return false;
  const std::size_t segment = random() % (log.names.size() - 1);
  std::string& bytes = files[log.names[segment]];
  bytes.resize(random() % bytes.size());
  return true;
}

bool lose_segment(const ModelLog& log, Files& files, std::mt19937_64& random) {
  if (log.names.size() < 3) return false;
  files.erase(log.names[1 + random() % (log.names.size() - 2)]);
  return true;
}

bool lose_last_segment(const ModelLog& log, Files& files, std::mt19937_64&) {
  if (log.names.size() < 2) return false;
  files.erase(log.names.back());
  return true;
}

bool garbage_behind(const ModelLog& log, Files& files, std::mt19937_64& random) {
  std::string& bytes = files[log.names.back()];
  const std::uint64_t used = log.used_bytes(log.names.size() - 1);
  for (std::uint64_t at = used; at < used + 300; ++at)
    bytes[at] = static_cast<char>(1 + random() % 255);
  return true;
}

bool nothing(const ModelLog&, Files&, std::mt19937_64&) { return true; }

struct NamedDamage {
  const char* name;
  Damage damage;
  std::uint64_t cases;
};
const std::vector<NamedDamage> kDamages = {{"none", nothing, 20},
                                           {"flip entry", flip_entry, 150},
                                           {"flip two entries", flip_two_entries, 60},
                                           {"flip state", flip_state, 60},
                                           {"flip stored crc", flip_stored_crc, 60},
                                           {"flip length", flip_length, 100},
                                           {"zero sectors", zero_sectors, 150},
                                           {"zero tail", zero_tail, 80},
                                           {"cut tail", cut_tail, 100},
                                           {"cut older", cut_older, 60},
                                           {"lose segment", lose_segment, 40},
                                           {"lose last segment", lose_last_segment, 20},
                                           {"garbage behind", garbage_behind, 40}};

Beside some_beside(const ModelLog& log, std::mt19937_64& random) {
  Beside out;
  out.db = random() % 8 != 0;
  if (out.db) out.applied = random() % (log.commit + 1);
  if (out.db && random() % 3 == 0) out.applied = log.commit;
  if (out.db && random() % 2 == 0) out.snapshot = out.applied * (random() % 4) / 4;
  return out;
}

Truth told(const waltool::Judgement& judgement) {
  Truth out{waltool::verdict_name(judgement.verdict), {}};
  if (!judgement.lost.empty() && judgement.verdict == waltool::Verdict::kLost)
    out.lost = {judgement.lost.front().first.value(), judgement.lost.back().last.value()};
  return out;
}

}  // namespace

TEST_CASE("corpus: every verdict on damaged logs of known history is right") {
  std::uint64_t seed = 1;
  std::map<std::string, std::uint64_t> verdicts;
  std::uint64_t cases = 0;
  for (const NamedDamage& kind : kDamages) {
    for (std::uint64_t n = 0; n < kind.cases; ++n, ++seed) {
      std::mt19937_64 random(seed);
      Shape shape;
      shape.batches = 5 + random() % 25;
      shape.segment_bytes = random() % 2 == 0 ? 2048 : 1 << 20;
      shape.snapshot_every = random() % 3 == 0 ? 10 : 0;
      shape.new_term = random() % 2 == 0 ? 0 : 0.1;
      const ModelLog log = make_log(seed, shape);
      const Beside beside = some_beside(log, random);
      Files files = log.files;
      if (!kind.damage(log, files, random)) continue;
      const Truth truth = truth_of(log, files, beside);
      const auto judgement = waltool::judge(evidence_of(files, beside));
      ++cases;
      ++verdicts[truth.verdict];
      CHECK_MESSAGE(text(told(judgement)) == text(truth), kind.name, ", seed ", seed, ", applied ",
                    beside.applied, ", snapshot ", beside.snapshot, ", last ", log.last);
    }
  }
  CHECK(cases >= 500);
  for (const char* verdict : {"CLEAN", "SAFE-TRIM", "COVERED", "LOST", "UNKNOWN"})
    CHECK_MESSAGE(verdicts[verdict] >= 10, verdict, ": ", verdicts[verdict]);
}
