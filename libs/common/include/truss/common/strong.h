#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace truss {

/// An integer that can't be mixed up with another: `struct IndexTag; using Index =
/// Strong<IndexTag>;` Explicit construction; order, ++, + and - with plain counts, difference of
/// two as a count.
template <class Tag, class Int = std::uint64_t>
class Strong {
 public:
  using value_type = Int;
  constexpr Strong() = default;
  constexpr explicit Strong(Int value) : value_(value) {}
  constexpr Int value() const { return value_; }

  friend constexpr auto operator<=>(Strong, Strong) = default;
  constexpr Strong& operator++() { return ++value_, *this; }
  constexpr Strong& operator--() { return --value_, *this; }
  constexpr Strong& operator+=(Int n) { return value_ += n, *this; }
  friend constexpr Strong operator+(Strong a, Int n) { return Strong(a.value_ + n); }
  friend constexpr Strong operator-(Strong a, Int n) { return Strong(a.value_ - n); }
  friend constexpr Int operator-(Strong a, Strong b) { return a.value_ - b.value_; }

 private:
  Int value_ = 0;
};

}  // namespace truss

template <class Tag, class Int>
struct std::hash<truss::Strong<Tag, Int>> {
  std::size_t operator()(truss::Strong<Tag, Int> v) const { return std::hash<Int>()(v.value()); }
};
