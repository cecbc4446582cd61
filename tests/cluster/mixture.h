#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "truss/common/random.h"
#include "truss/net/channel.h"

namespace truss::cluster {

struct MixtureOptions {
  std::vector<std::string> endpoints;
  std::uint64_t operations = 10'000;
  int clients = 32;
  std::string prefix = "mix/";
  std::uint64_t keys = 500;
  std::uint64_t seed = 1;
};

/// How often each operation was answered well.
struct MixtureResult {
  std::map<std::string, std::uint64_t> done;
  std::uint64_t refused = 0;  ///< as a race among the clients explains: a lease or revision is gone
  std::uint64_t errors = 0;
  std::string first_error;
};

/// Puts, deletes, range deletes, transactions, leases with keys and without, revocations and
/// compactions through all members, many at a time: what replicas must agree on afterwards.
///
/// Thread: one; the calls live on a net thread inside.
class Mixture {
 public:
  Mixture(Clock& clock, MixtureOptions options);
  ~Mixture();
  Mixture(const Mixture&) = delete;
  Mixture& operator=(const Mixture&) = delete;

  MixtureResult run();

 private:
  struct Call {
    const char* name = "";
    std::string_view path;
    SharedBytes request;
    std::int64_t lease = 0;  // to be known once it is granted
  };

  void next(std::size_t client);
  Call choose();
  Call choose_rare(std::uint64_t dice);
  void ended(const Call& call, const Result<SharedBytes>& answer, std::size_t client);
  std::string random_key();

  const MixtureOptions options_;
  SeededRandom random_;
  net::IoThread thread_;
  std::vector<std::unique_ptr<net::Channel>> channels_;
  std::vector<std::int64_t> leases_;  // granted
  std::int64_t last_lease_ = 0;
  std::int64_t revision_ = 0;
  std::uint64_t left_ = 0;
  MixtureResult result_;

  std::mutex mutex_;
  std::condition_variable ended_;
  int running_ = 0;  // guarded by mutex_
};

}  // namespace truss::cluster
