#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "truss/common/error.h"

namespace truss::bench {

/// How to start a server that takes etcd's flags.
struct SubjectSpec {
  std::string name;                ///< `member`, `etcd`
  std::string program;             ///< path
  std::vector<std::string> flags;  ///< beyond those every subject gets
};

/// What a process has used so far.
struct Usage {
  double cpu_seconds = 0;
  std::int64_t rss_anon_kib = 0;
  std::int64_t rss_file_kib = 0;
  std::int64_t wal_fsyncs = 0;
};

/// One running server on free loopback ports, with its data in a fresh folder below `folder`.
class Subject {
 public:
  /// `seat`: its name in its cluster, and of its folder.
  Subject(SubjectSpec spec, std::string folder, std::string seat = "bench");
  ~Subject();  ///< stop(), and removes the data
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  /// Starts it and waits until /health says yes. Errors: kUnavailable with the end of its log.
  Result<void> start();
  /// The two halves of start(), for members that wait for each other.
  Result<void> launch();
  Result<void> wait_until_up();
  /// Members of its cluster, `name=url,…`, and whether that runs already; alone if not called.
  void join(std::string initial_cluster, bool existing = false);
  /// `name=url`, this member's part of it. The ports are chosen by now.
  std::string seat_and_url() const { return seat_ + "=http://" + advertised_; }
  /// Peers find it at this port of loopback: a proxy's.
  void advertise_peer(int port) { advertised_ = "127.0.0.1:" + std::to_string(port); }
  /// SIGTERM, and SIGKILL after ten seconds.
  void stop();
  const std::string& address() const { return address_; }
  const std::string& peer_address() const { return peer_address_; }
  const std::string& data() const { return data_; }
  pid_t pid() const { return pid_; }
  const std::string& name() const { return spec_.name; }
  /// Errors: kUnavailable if it has died or /metrics doesn't answer.
  Result<Usage> usage() const;

 private:
  bool alive() const;
  std::string log_tail() const;
  std::vector<std::string> command() const;

  SubjectSpec spec_;
  std::string seat_;
  std::string data_;
  std::string initial_cluster_;
  bool existing_ = false;
  std::string address_;
  std::string peer_address_;
  std::string advertised_;
  pid_t pid_ = -1;
};

/// Seconds that all processors of the machine together were busy since boot.
double machine_busy_seconds();
/// Seconds of processor that this process has used.
double own_cpu_seconds();

/// Body of a plain HTTP GET. Errors: kUnavailable.
Result<std::string> http_get(const std::string& address, const std::string& path);

}  // namespace truss::bench
