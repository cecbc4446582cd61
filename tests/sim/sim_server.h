#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kv_model.h"
#include "truss/common/testing/memory_logger.h"
#include "truss/common/testing/sim_file_system.h"
#include "truss/common/testing/sim_runtime.h"
#include "truss/server/server.h"

namespace truss::testing {

/// A whole single-node server on simulated disk, clock, threads and process.
class SimServer {
 public:
  /// `disk` must outlive it.
  SimServer(SimFileSystem& disk, std::uint64_t seed, server::Config config);
  /// Kills it, if it still lives.
  ~SimServer();

  /// Starts and runs until it serves. Empty if it does, else why not.
  std::string start();
  /// kill -9: nothing more reaches the disk.
  void kill();
  /// Ends gracefully.
  void stop();
  bool alive() const { return member_.alive(); }
  const std::string& death() const { return member_.death(); }

  SimRuntime& world() { return world_; }
  server::Server& server() { return *server_; }
  const MemoryLogger& log() const { return logger_; }

  /// Sends one operation; `done` gets the revision of its answer.
  void send(const KvOp& op, std::function<void(Result<std::int64_t>)> done);
  /// Sends it and waits. Errors: also kDeadlineExceeded after a minute, kAborted if it died.
  Result<std::int64_t> call(const KvOp& op);
  /// The whole store, as of a linearizable read.
  Result<KvModel> read_all();

 private:
  server::Environment environment();
  /// Runs the world until `done`, the member's death or a minute has passed.
  Result<> run_until(const std::function<bool()>& done);

  std::unique_ptr<SimFileSystem> files_;
  SimRuntime world_;
  SeededRandom random_;
  MemoryLogger logger_;
  server::NullTransport transport_;
  SimMember member_;
  server::Config config_;
  std::unique_ptr<server::Server> server_;
};

/// A config for small, fast, crash-prone members in /data/member.
server::Config sim_config();

}  // namespace truss::testing
