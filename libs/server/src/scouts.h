#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "truss/mvcc/record_scout.h"
#include "truss/snap/db_receiver.h"

namespace truss::server {

/// What was noted of the database received last, until it is taken over or turned away. Thread:
/// any.
class Scouts : public std::enable_shared_from_this<Scouts> {
 public:
  /// Notes one that is going to come in.
  std::shared_ptr<snap::DbWatcher> watch();
  /// Of the file at `path`; null if nothing is known. Once.
  std::shared_ptr<mvcc::RecordScout> take(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return path == path_ ? std::move(scout_) : nullptr;
  }
  void keep(const std::string& path, std::shared_ptr<mvcc::RecordScout> scout) {
    const std::lock_guard lock(mutex_);
    path_ = path;
    scout_ = std::move(scout);
  }

 private:
  std::mutex mutex_;  // guards all below
  std::string path_;
  std::shared_ptr<mvcc::RecordScout> scout_;
};

}  // namespace truss::server
