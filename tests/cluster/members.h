#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "links.h"
#include "truss/client/client.h"
#include "truss/tool/child_process.h"

namespace truss::cluster {

struct MemberSpec {
  std::string program;             ///< ours or real etcd
  std::vector<std::string> flags;  ///< beyond those every member gets
};

/// The processes of one cluster on free loopback ports, with their peer traffic through Links.
///
/// Thread: one.
class Members {
 public:
  /// Data and logs go below `folder`.
  Members(Clock& clock, std::vector<MemberSpec> specs, std::string folder);
  ~Members();  ///< kill -9

  void start(std::size_t index);
  void start_all();
  void kill9(std::size_t index) { slots_[index].process.kill9(); }
  void pause(std::size_t index);
  void resume(std::size_t index);
  /// SIGTERM. Returns: the exit status, or nullopt if it doesn't end within `patience`.
  std::optional<int> stop(std::size_t index, Duration patience);
  bool alive(std::size_t index) { return slots_[index].process.alive(); }

  std::size_t size() const { return slots_.size(); }
  const std::string& endpoint(std::size_t index) const { return slots_[index].endpoint; }
  std::vector<std::string> endpoints() const;
  std::string log_of(std::size_t index) const;
  Links& links() { return *links_; }
  /// For calls to one member; they give up after 300 ms.
  client::Client& client(std::size_t index) { return *slots_[index].client; }

  /// Member `index` says that it leads. Returns: its status.
  std::optional<client::Status> leads(std::size_t index);
  /// Waits until all members of `among` name the same one of them as leader.
  /// Returns: its status and index; nullopt if it takes longer than `patience`.
  struct Leader {
    std::size_t index = 0;
    std::uint64_t term = 0;
  };
  std::optional<Leader> agreed_leader(const std::vector<std::size_t>& among, Duration patience);
  /// Member `index` takes connections of its peers.
  bool listens(std::size_t index) const;
  /// Waits until every member answers a linearizable read.
  bool all_serve(Duration patience);

 private:
  struct Slot {
    MemberSpec spec;
    std::string name;
    std::string endpoint;
    int client_port = 0;
    Links::Ports peer_ports;
    tool::ChildProcess process;
    std::unique_ptr<client::Client> client;
  };

  std::vector<std::string> command(const Slot& slot) const;

  Clock& clock_;
  const std::string folder_;
  std::vector<Slot> slots_;
  std::unique_ptr<Links> links_;
};

}  // namespace truss::cluster
