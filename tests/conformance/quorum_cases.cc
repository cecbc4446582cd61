#include <algorithm>
#include <optional>

#include "interaction.h"
#include "truss/raft/quorum.h"

namespace truss::conformance {

namespace {

using Id = std::uint64_t;
using Ids = std::vector<Id>;

/// What one voter said: an index for `committed`, 0 or 1 for `vote`, or nothing.
struct Report {
  Id id = 0;
  std::optional<std::uint64_t> value;
};
using Reports = std::vector<Report>;

Unexpected bad(std::string what) { return fail(Code::kInvalidArgument, std::move(what)); }

std::optional<std::uint64_t> reported(const Reports& reports, Id id) {
  for (const Report& report : reports) {
    if (report.id == id) return report.value;
  }
  return std::nullopt;
}

Result<Ids> ids_of(const Case& c, std::string_view key) {
  Ids out;
  const Arg* arg = c.find(key);
  if (arg == nullptr || (arg->values.size() == 1 && arg->values.front() == "zero")) return out;
  for (const std::string& value : arg->values) {
    TRUSS_ASSIGN(const std::uint64_t id, parse_number(value));
    out.push_back(id);
  }
  return out;
}

Result<std::optional<std::uint64_t>> parse_report(const std::string& text, bool vote) {
  if (text == "_") return std::nullopt;
  if (vote) {
    if (text != "y" && text != "n") return bad("unknown vote " + text);
    return text == "y" ? 1 : 0;
  }
  TRUSS_ASSIGN(const std::uint64_t index, parse_number(text));
  return index;
}

/// Values belong to the ids of both halves, those of the first half first, each id once.
Result<Reports> reports_of(const Case& c, const Ids& incoming, const Ids& outgoing) {
  Reports out;
  for (const Ids* half : {&incoming, &outgoing}) {
    for (Id id : *half) {
      const bool seen =
          std::any_of(out.begin(), out.end(), [id](const Report& r) { return r.id == id; });
      if (!seen) out.push_back({id, std::nullopt});
    }
  }
  const bool vote = c.command == "vote";
  const Arg* arg = c.find(vote ? "votes" : "idx");
  const std::size_t given = arg == nullptr ? 0 : arg->values.size();
  if (given != out.size()) {
    return bad("mismatched input: " + std::to_string(given) + " values for " +
               std::to_string(out.size()) + " voters");
  }
  for (std::size_t i = 0; i < given; ++i) {
    TRUSS_ASSIGN(out[i].value, parse_report(arg->values[i], vote));
  }
  return out;
}

std::uint64_t half_committed(const Ids& half, const Reports& reports) {
  std::vector<std::uint64_t> acked;
  for (Id id : half) acked.push_back(reported(reports, id).value_or(0));
  return raft::majority_position(acked);
}

/// The same by definition: the largest index that more than half has reached.
std::uint64_t slow_half_committed(const Ids& half, const Reports& reports) {
  if (half.empty()) return raft::kEverything;
  std::uint64_t best = 0;
  for (Id candidate : half) {
    const std::uint64_t index = reported(reports, candidate).value_or(0);
    const auto reached = std::count_if(half.begin(), half.end(), [&](Id id) {
      return reported(reports, id).value_or(0) >= index;
    });
    if (static_cast<std::size_t>(reached) > half.size() / 2) best = std::max(best, index);
  }
  return best;
}

std::string hex(Id id) {
  std::string out;
  for (; id != 0; id >>= 4) out.insert(out.begin(), "0123456789abcdef"[id & 15]);
  return out.empty() ? "0" : out;
}

std::string index_text(std::uint64_t index) {
  return index == raft::kEverything ? "∞" : std::to_string(index);
}

std::string padded(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

/// The voters by id, each with a bar as long as its rank by index.
std::string chart(const Reports& voters) {
  if (voters.empty()) return "<empty majority quorum>";
  Reports by_id = voters;
  std::sort(by_id.begin(), by_id.end(),
            [](const Report& a, const Report& b) { return a.id < b.id; });
  const std::size_t n = by_id.size();
  std::string out = std::string(n, ' ') + "    idx\n";
  for (const Report& report : by_id) {
    const std::uint64_t index = report.value.value_or(0);
    const auto rank = static_cast<std::size_t>(
        std::count_if(by_id.begin(), by_id.end(),
                      [&](const Report& other) { return other.value.value_or(0) < index; }));
    out += report.value ? std::string(rank, 'x') + ">" + std::string(n - rank, ' ')
                        : "?" + std::string(n, ' ');
    out += " " + padded(std::to_string(index), 5) + "    (id=" + hex(report.id) + ")\n";
  }
  return out;
}

std::string committed(const Ids& incoming, const Ids& outgoing, const Reports& reports) {
  const std::uint64_t index =
      std::min(half_committed(incoming, reports), half_committed(outgoing, reports));
  const std::uint64_t slow =
      std::min(slow_half_committed(incoming, reports), slow_half_committed(outgoing, reports));
  std::string out = chart(reports);
  if (slow != index) out += index_text(slow) + " <-- slow reference\n";
  return out + index_text(index) + "\n";
}

raft::VoteResult half_vote(const Ids& half, const Reports& reports) {
  std::size_t yes = 0;
  std::size_t no = 0;
  for (Id id : half) {
    const auto value = reported(reports, id);
    if (value) ++(*value == 1 ? yes : no);
  }
  return raft::majority_vote(half.size(), yes, no);
}

std::string vote(const Ids& incoming, const Ids& outgoing, const Reports& reports) {
  const raft::VoteResult one = half_vote(incoming, reports);
  const raft::VoteResult other = half_vote(outgoing, reports);
  const raft::VoteResult result = raft::joint_vote(one, other);
  std::string out;
  if (raft::joint_vote(other, one) != result) out += "<-- not symmetric\n";
  switch (result) {
    case raft::VoteResult::kPending:
      return out + "VotePending\n";
    case raft::VoteResult::kLost:
      return out + "VoteLost\n";
    case raft::VoteResult::kWon:
      return out + "VoteWon\n";
  }
  return out;
}

Result<std::string> handle(const Case& c) {
  if (c.command != "committed" && c.command != "vote") return bad("unknown command " + c.command);
  TRUSS_ASSIGN(const Ids incoming, ids_of(c, "cfg"));
  TRUSS_ASSIGN(const Ids outgoing, ids_of(c, "cfgj"));
  TRUSS_ASSIGN(const Reports reports, reports_of(c, incoming, outgoing));
  return c.command == "vote" ? vote(incoming, outgoing, reports)
                             : committed(incoming, outgoing, reports);
}

}  // namespace

Outcome run_quorum(std::string_view text, std::string* rewritten) {
  return run(text, false, handle, rewritten);
}

}  // namespace truss::conformance
