#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "history.h"
#include "truss/common/random.h"
#include "truss/net/channel.h"

namespace truss::cluster {

struct LoadOptions {
  std::vector<std::string> endpoints;  ///< `127.0.0.1:2379`
  int clients = 6;
  Duration timeout = std::chrono::seconds(3);            ///< of one call
  Duration pause = std::chrono::milliseconds(2);         ///< of a client between two calls
  Duration after_error = std::chrono::milliseconds(50);  ///< until it tries another member
  std::uint64_t seed = 1;
};

/// Concurrent clients that put, get, delete and swap a few keys through all members, each with one
/// call open at a time, and write down what they saw. Values are never used twice.
///
/// Thread: one owner; the clients live on a net thread inside.
class Load {
 public:
  Load(Clock& clock, LoadOptions options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// Lets the clients go, on these keys. They must be absent for the history to be checked alone.
  void start(std::vector<std::string> keys);
  /// Reads every key through one member, now, all at a time. Not waited for.
  void read_all(std::size_t endpoint);
  /// Lets no new call begin and waits for those that are open.
  void stop();
  /// What happened since start() or the last take(). After stop() only.
  History take();
  /// Calls answered well so far. Thread: any.
  std::uint64_t answered() const { return answered_.load(); }

 private:
  struct Client {
    int number = 0;
    std::size_t endpoint = 0;
  };

  void next(Client& client);
  Operation choose(Client& client);
  void call(Operation operation, Client* client);
  void ended(Operation operation, const Result<SharedBytes>& answer, Client* client);
  void note_seen(const Operation& operation);
  void rest(Client& client, bool well);
  void note_idle();

  Clock& clock_;
  const LoadOptions options_;
  SeededRandom random_;
  net::IoThread thread_;
  std::vector<std::unique_ptr<net::Channel>> channels_;
  std::vector<Client> clients_;
  std::vector<std::string> keys_;
  std::map<std::string, std::optional<std::string>> last_seen_;  // by key, for swaps
  std::uint64_t values_ = 0;
  bool running_ = false;
  History history_;
  std::atomic<std::uint64_t> answered_{0};

  std::mutex mutex_;
  std::condition_variable idle_changed_;
  std::size_t open_ = 0;  // guarded by mutex_: calls and rests
};

}  // namespace truss::cluster
