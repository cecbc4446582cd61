#pragma once

#include <memory>
#include <string>
#include <vector>

#include "subject.h"

namespace truss::bench {

/// One server, or a cluster of servers of one kind.
class Group {
 public:
  Group(const SubjectSpec& spec, std::size_t members, const std::string& folder);

  /// Starts all and waits until each is healthy. Errors: the first member's that isn't.
  Result<void> start();
  void stop();
  const std::string& name() const { return members_.front()->name(); }
  /// The leader's first, where there is more than one.
  const std::vector<std::string>& addresses() const { return addresses_; }
  /// Sums over all members; of the WAL's fsyncs, too.
  Result<Usage> usage() const;

  /// Puts a proxy's port before each member's peer port. Before start().
  void advertise(const std::vector<int>& ports);
  /// Of addresses().front().
  std::size_t leader() const { return leader_; }
  Subject& member(std::size_t index) { return *members_[index]; }
  std::size_t size() const { return members_.size(); }
  /// What a further member needs to join: `name=url,…` of all here.
  std::string initial_cluster() const;

 private:
  Result<void> order_addresses();

  std::vector<std::unique_ptr<Subject>> members_;
  std::vector<std::string> addresses_;
  std::size_t leader_ = 0;
};

}  // namespace truss::bench
