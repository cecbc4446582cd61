#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace truss::peer {

/// The URLs of one peer: all its channels use the same one until it fails.
///
/// Lives on: the transport's thread. *Source:* etcd rafthttp/urlpick.go.
class PeerUrls {
 public:
  explicit PeerUrls(std::vector<std::string> urls) { update(std::move(urls)); }

  /// Empty when there is none.
  const std::string& current() const {
    static const std::string kNone;
    return urls_.empty() ? kNone : urls_[picked_];
  }
  /// Moves on if `url` is still the current one: several channels may see the same failure.
  void failed(const std::string& url) {
    if (!urls_.empty() && urls_[picked_] == url) picked_ = (picked_ + 1) % urls_.size();
  }
  void update(std::vector<std::string> urls) {
    urls_ = std::move(urls);
    picked_ = 0;
    for (std::string& url : urls_) {
      while (url.ends_with('/')) url.pop_back();
    }
  }

 private:
  std::vector<std::string> urls_;
  std::size_t picked_ = 0;
};

}  // namespace truss::peer
