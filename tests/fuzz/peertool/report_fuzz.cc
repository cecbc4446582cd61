// A report that is read comes back from its own JSON as it was, and can be drawn and compared.
#include <cstdint>

#include "truss/common/check.h"
#include "truss/peertool/compare.h"
#include "truss/peertool/heartbeat.h"

using namespace truss;
using namespace truss::peertool;

namespace {

/// Resampling takes 500 rounds over all batches.
bool small_enough(const Report& report) {
  std::size_t batches = 0;
  for (const Series& s : report.series) batches += s.batches.size();
  return batches <= 40;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto report = from_json(text, "r.json");
  if (!report) {
    TRUSS_CHECK(report.error().message.starts_with("r.json: "), report.error().message);
    TRUSS_CHECK(report.error().message.find('\n') == std::string::npos, "more than one line");
    return 0;
  }
  const std::string json = to_json(*report);
  const auto again = from_json(json, "r.json");
  TRUSS_CHECK(again.has_value() && to_json(*again) == json, "a report changed on its way");
  TRUSS_CHECK(!render(*report, tool::Format::kText).empty());
  TRUSS_CHECK(svg(*report).ends_with("</svg>\n"));
  if (!small_enough(*report)) return 0;
  const auto compared = compare(*report, *report);
  if (!compared) return 0;
  for (const Difference& d : compared->differences) {
    TRUSS_CHECK(d.earlier_us == d.later_us || d.earlier_us != d.earlier_us, d.name);
  }
  TRUSS_CHECK(!any_slower(*compared), "a report is slower than itself");
  return 0;
}
