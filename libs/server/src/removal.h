#pragma once

#include <absl/functional/any_invocable.h>

#include <mutex>

namespace truss::server {

/// Whether this member was removed from the cluster for good, and who wants to hear of it.
/// Thread: any.
class Removal {
 public:
  /// Runs `gone` when it happens, or at once if it has.
  void on_removed(absl::AnyInvocable<void()> gone) {
    {
      std::lock_guard lock(mutex_);
      if (!happened_) {
        gone_ = std::move(gone);
        return;
      }
    }
    gone();
  }
  /// It happened; only the first time counts.
  void happen() {
    absl::AnyInvocable<void()> gone;
    {
      std::lock_guard lock(mutex_);
      if (happened_) return;
      happened_ = true;
      gone = std::move(gone_);
    }
    if (gone) gone();
  }

 private:
  std::mutex mutex_;
  bool happened_ = false;
  absl::AnyInvocable<void()> gone_;
};

}  // namespace truss::server
