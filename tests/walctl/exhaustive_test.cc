#include <doctest/doctest.h>

#include "corpus.h"

using namespace truss;
using namespace truss::walctl_test;

namespace {

const ModelLog& small_log() {
  static const ModelLog log = make_log(7, {.batches = 6,
                                           .segment_bytes = 700,
                                           .last_bytes = 1024,
                                           .snapshot_every = 4,
                                           .new_term = 0.3});
  return log;
}

/// What a verdict may never do, and the verdict where the rules leave no choice.
void check(const Files& files, const Beside& beside, const std::string& what) {
  const Truth truth = truth_of(small_log(), files, beside);
  const auto judgement = waltool::judge(evidence_of(files, beside));
  const bool admits = judgement.verdict == waltool::Verdict::kLost ||
                      judgement.verdict == waltool::Verdict::kUnknown;
  if (truth.verdict == "LOST" && !admits) {
    CHECK_MESSAGE(admits, what, ": ", waltool::verdict_name(judgement.verdict), " though ",
                  text(truth));
  }
  const bool clean = judgement.verdict == waltool::Verdict::kClean;
  if (clean && (truth.verdict == "COVERED" || truth.verdict == "SAFE-TRIM")) {
    CHECK_MESSAGE(!clean, what, ": CLEAN though ", text(truth));
  }
}

}  // namespace

TEST_CASE("exhaustive: every bit of a small log, flipped") {
  const ModelLog& log = small_log();
  REQUIRE(log.names.size() >= 2);
  for (const Beside& beside : {Beside{true, log.commit / 2, 0}, Beside{false, 0, 0}}) {
    for (std::size_t segment = 0; segment < log.names.size(); ++segment) {
      for (std::uint64_t at = 0; at < log.used_bytes(segment) + 16; ++at) {
        if (at >= log.files.at(log.names[segment]).size()) break;
        for (unsigned bit = 0; bit < 8; ++bit) {
          Files files = log.files;
          char& byte = files[log.names[segment]][at];
          byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit));
          check(
              files, beside,
              log.names[segment] + " offset " + std::to_string(at) + " bit " + std::to_string(bit));
        }
      }
    }
  }
}

TEST_CASE("exhaustive: every length that a segment may be cut to") {
  const ModelLog& log = small_log();
  for (const Beside& beside : {Beside{true, log.commit, log.commit / 2}, Beside{false, 0, 0}}) {
    for (const std::string& name : log.names) {
      for (std::size_t size = 0; size < log.files.at(name).size(); ++size) {
        Files files = log.files;
        files[name].resize(size);
        check(files, beside, name + " cut to " + std::to_string(size));
      }
    }
  }
}
