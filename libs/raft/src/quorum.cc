#include "truss/raft/quorum.h"

#include <algorithm>
#include <array>
#include <utility>

namespace truss::raft {

namespace {

using Position = std::uint64_t;

template <std::size_t... Wires>
void compare_exchange(Position* p) {
  constexpr std::array<std::size_t, sizeof...(Wires)> wires{Wires...};
  for (std::size_t i = 0; i < wires.size(); i += 2) {
    const Position low = std::min(p[wires[i]], p[wires[i + 1]]);
    const Position high = std::max(p[wires[i]], p[wires[i + 1]]);
    p[wires[i]] = low;
    p[wires[i + 1]] = high;
  }
}

/// Sorting networks of the smallest size known (Knuth, TAOCP vol. 3, 5.3.4).
void sort_few(Position* p, std::size_t count) {
  switch (count) {
    case 2:
      return compare_exchange<0, 1>(p);
    case 3:
      return compare_exchange<0, 2, 0, 1, 1, 2>(p);
    case 4:
      return compare_exchange<0, 2, 1, 3, 0, 1, 2, 3, 1, 2>(p);
    case 5:
      return compare_exchange<0, 3, 1, 4, 0, 2, 1, 3, 0, 1, 2, 4, 1, 2, 3, 4, 2, 3>(p);
    case 6:
      return compare_exchange<0, 5, 1, 3, 2, 4, 1, 2, 3, 4, 0, 3, 2, 5, 0, 1, 2, 3, 4, 5, 1, 2, 3,
                              4>(p);
    case 7:
      return compare_exchange<0, 6, 2, 3, 4, 5, 0, 2, 1, 4, 3, 6, 0, 1, 2, 5, 3, 4, 1, 2, 4, 6, 2,
                              3, 4, 5, 1, 2, 3, 4, 5, 6>(p);
    default:
      return;
  }
}

}  // namespace

std::uint64_t majority_position(std::span<std::uint64_t> acked) {
  const std::size_t count = acked.size();
  if (count == 0) return kEverything;
  const std::size_t majority = count / 2 + 1;
  if (count <= 7) {
    sort_few(acked.data(), count);
  } else {
    std::nth_element(acked.begin(), acked.begin() + static_cast<std::ptrdiff_t>(count - majority),
                     acked.end());
  }
  return acked[count - majority];
}

VoteResult majority_vote(std::size_t voters, std::size_t yes, std::size_t no) {
  if (voters == 0) return VoteResult::kWon;
  const std::size_t majority = voters / 2 + 1;
  if (yes >= majority) return VoteResult::kWon;
  return voters - no >= majority ? VoteResult::kPending : VoteResult::kLost;
}

VoteResult joint_vote(VoteResult incoming, VoteResult outgoing) {
  if (incoming == outgoing) return incoming;
  const bool lost = incoming == VoteResult::kLost || outgoing == VoteResult::kLost;
  return lost ? VoteResult::kLost : VoteResult::kPending;
}

}  // namespace truss::raft
