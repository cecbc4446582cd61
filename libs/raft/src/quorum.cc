#include "truss/raft/quorum.h"

#include <algorithm>
#include <cstddef>

namespace truss::raft {

namespace {

using Position = std::uint64_t;

template <std::size_t A, std::size_t B>
struct Wire {};

template <std::size_t A, std::size_t B>
inline void exchange(Position* p, Wire<A, B>) {
  const Position low = std::min(p[A], p[B]);
  p[B] = std::max(p[A], p[B]);
  p[A] = low;
}

/// Sorts a copy of `count` positions by a network and returns the one in the middle; what does not
/// lead to that one is left out by the compiler.
template <std::size_t Count, class... Wires>
inline Position middle(const Position* given, Wires... wires) {
  Position p[Count];
  std::copy_n(given, Count, p);
  (exchange(p, wires), ...);
  return p[Count - (Count / 2 + 1)];
}

template <std::size_t A, std::size_t B>
constexpr Wire<A, B> w{};

/// Sorting networks of the smallest size known (Knuth, TAOCP vol. 3, 5.3.4).
Position few(const Position* p, std::size_t count) {
  switch (count) {
    case 1:
      return p[0];
    case 2:
      return std::min(p[0], p[1]);
    case 3:
      return middle<3>(p, w<0, 2>, w<0, 1>, w<1, 2>);
    case 4:
      return middle<4>(p, w<0, 2>, w<1, 3>, w<0, 1>, w<2, 3>, w<1, 2>);
    case 5:
      return middle<5>(p, w<0, 3>, w<1, 4>, w<0, 2>, w<1, 3>, w<0, 1>, w<2, 4>, w<1, 2>, w<3, 4>,
                       w<2, 3>);
    case 6:
      return middle<6>(p, w<0, 5>, w<1, 3>, w<2, 4>, w<1, 2>, w<3, 4>, w<0, 3>, w<2, 5>, w<0, 1>,
                       w<2, 3>, w<4, 5>, w<1, 2>, w<3, 4>);
    default:
      return middle<7>(p, w<0, 6>, w<2, 3>, w<4, 5>, w<0, 2>, w<1, 4>, w<3, 6>, w<0, 1>, w<2, 5>,
                       w<3, 4>, w<1, 2>, w<4, 6>, w<2, 3>, w<4, 5>, w<1, 2>, w<3, 4>, w<5, 6>);
  }
}

}  // namespace

std::uint64_t majority_position(std::span<std::uint64_t> acked) {
  const std::size_t count = acked.size();
  if (count == 0) return kEverything;
  if (count <= 7) return few(acked.data(), count);
  const auto at = acked.begin() + static_cast<std::ptrdiff_t>(count - (count / 2 + 1));
  std::nth_element(acked.begin(), at, acked.end());
  return *at;
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
