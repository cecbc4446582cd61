#pragma once

#include <absl/container/btree_map.h>

#include <iterator>
#include <string>

#include "truss/snaptool/key_source.h"

namespace truss::snaptool {

/// A share of a key range that fits into memory: an ordered map that gives up its upper half when
/// it grows beyond a budget, and later goes on where it was cut.
template <class Value>
class KeyWindow {
 public:
  using Map = absl::btree_map<std::string, Value, std::less<>>;

  KeyWindow(KeyRange range, std::uint64_t budget_bytes)
      : range_(std::move(range)), budget_(budget_bytes), now_(range_) {}

  bool contains(ByteView key) const { return now_.contains(key); }
  const Map& map() const { return map_; }
  Value* find(ByteView key) {
    const auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second;
  }
  /// The value of a key inside the window; it may be cut off at once by a later call.
  void set(ByteView key, const Value& value) {
    const auto it = map_.find(key);
    if (it != map_.end()) {
      it->second = value;
      return;
    }
    map_.emplace(std::string(key), value);
    bytes_ += cost(key);
    if (bytes_ > budget_ && map_.size() > 1) cut();
  }
  void erase(ByteView key) {
    const auto it = map_.find(key);
    if (it == map_.end()) return;
    bytes_ -= cost(key);
    map_.erase(it);
  }
  /// To the share behind this one, empty. False if there is none.
  bool advance() {
    map_.clear();
    bytes_ = 0;
    if (now_.end == range_.end) return false;
    now_ = {now_.end, range_.end};
    return true;
  }

 private:
  static std::uint64_t cost(ByteView key) { return key.size() + sizeof(Value) + 64; }
  void cut() {
    const auto middle = std::next(map_.begin(), static_cast<std::ptrdiff_t>(map_.size() / 2));
    now_.end = middle->first;
    for (auto it = middle; it != map_.end(); ++it) bytes_ -= cost(it->first);
    map_.erase(middle, map_.end());
  }

  const KeyRange range_;
  const std::uint64_t budget_;
  KeyRange now_;
  Map map_;
  std::uint64_t bytes_ = 0;
};

}  // namespace truss::snaptool
