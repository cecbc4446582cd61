#pragma once

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "truss/common/clock.h"

namespace truss::cluster {

/// What happens to bytes on their way from one member to another.
enum class Cut : std::uint8_t {
  kOpen,
  kHold,       ///< they wait, and arrive after the cut
  kSwallow,    ///< they vanish; the connections they were on are broken after the cut
  kHalfClose,  ///< the receiver sees the end of the stream; otherwise as kSwallow
};

/// Proxies in front of the peer ports of a cluster, one a member. Each connection is told apart by
/// the process that dialled it (its source port's inode in /proc), so that every direction between
/// two members can be cut alone, on connections of both sides' making.
///
/// Thread: any; the bytes are moved by a thread inside.
class Links {
 public:
  /// Bytes that member `from` sent to `to` on connection number `connection`, as they pass.
  /// `dialled`: `from` made the connection. Called on the inner thread.
  struct Passing {
    std::size_t from = 0;
    std::size_t to = 0;
    std::uint64_t connection = 0;
    bool dialled = false;
    MonoTime when;
    const std::string* bytes = nullptr;
  };
  using Tap = void (*)(void* context, const Passing&);

  /// `ports`: of each member, where the others dial it and where it really listens.
  struct Ports {
    int dialled = 0;
    int listens = 0;
  };
  explicit Links(std::vector<Ports> ports);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  /// The process that is member `index` from now on.
  void set_pid(std::size_t index, pid_t pid);
  void cut(std::size_t from, std::size_t to, Cut cut);
  /// Everything passes again.
  void heal();
  /// Connections whose two ends are known. For tests.
  std::size_t attributed();
  /// Shows all bytes that pass to `tap`, which must outlive this.
  void set_tap(Tap tap, void* context);

 private:
  static constexpr std::size_t kNobody = 999;

  /// One direction of a connection.
  struct Pipe {
    int from_fd = -1;
    int to_fd = -1;
    std::size_t from = kNobody;
    std::size_t to = kNobody;
    bool dialled = false;
    std::string buffer;
    bool ended = false;       // the sender has closed
    bool end_passed = false;  // the receiver was told so
  };
  struct Connection {
    std::uint64_t number = 0;
    Pipe pipes[2];
    bool spoiled = false;  // bytes are missing
    bool dead = false;
  };

  void run();
  void accept_on(std::size_t index);
  std::size_t dialler_of(int fd);
  Cut cut_of(const Pipe& pipe) const;
  void pump(Connection& connection, Pipe& pipe);
  void read_some(Connection& connection, Pipe& pipe);
  void write_some(Connection& connection, Pipe& pipe);
  void half_close(Connection& connection, Pipe& pipe);
  void drop_dead();
  void wake();

  const std::vector<Ports> ports_;
  std::vector<int> listeners_;
  int wake_fds_[2] = {-1, -1};

  std::mutex mutex_;  // guards all below
  std::vector<pid_t> pids_;
  std::vector<Cut> cuts_;  // from * members + to
  std::list<Connection> connections_;
  std::uint64_t accepted_ = 0;
  Tap tap_ = nullptr;
  void* tap_context_ = nullptr;
  bool ending_ = false;
  std::uint64_t healed_ = 0;  // times

  std::thread thread_;
};

}  // namespace truss::cluster
