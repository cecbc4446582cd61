#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "truss/common/clock.h"

namespace truss::peertool::testing {

/// Stands before a TCP port of loopback, and holds every byte for a set time in both directions;
/// can freeze. The order of bytes stays.
///
/// Thread: any; a thread inside moves the bytes.
class DelayProxy {
 public:
  /// \param url  `http://127.0.0.1:PORT` of what stands behind
  DelayProxy(const std::string& url, Duration delay);
  ~DelayProxy();
  DelayProxy(const DelayProxy&) = delete;
  DelayProxy& operator=(const DelayProxy&) = delete;

  const std::string& url() const { return url_; }
  /// Every n-th piece, and all behind it, is held for so much longer, as when a packet was lost and
  /// had to be sent again.
  void stall_every(int n, Duration length) {
    stall_ns_ = length.count();
    stall_every_ = n;
  }
  /// Nothing passes for so long from now on.
  void freeze(Duration length);

 private:
  struct Pipe;
  void run();
  void accept();
  void pump(Pipe& pipe, MonoTime now);

  int target_port_ = 0;
  const Duration delay_;
  int listener_ = -1;
  std::string url_;
  std::atomic<std::int64_t> frozen_until_ns_{0};
  std::atomic<int> stall_every_{0};
  std::atomic<std::int64_t> stall_ns_{0};
  int pieces_seen_ = 0;
  std::atomic<bool> ending_{false};
  std::vector<std::unique_ptr<Pipe>> pipes_;
  std::thread thread_;
};

}  // namespace truss::peertool::testing
