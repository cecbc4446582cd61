#pragma once

#include <functional>
#include <memory>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/net/call.h"

namespace truss::net {

struct Command;

/// An object of a net thread that other threads send commands to.
class CommandTarget {
 public:
  virtual ~CommandTarget() = default;
  /// Thread: the net thread.
  virtual void run(Command& command) = 0;
};

enum class CommandKind : std::uint8_t {
  kFinish,      ///< last message (unary) if `extra` is null, and status
  kSend,        ///< one message or chunk
  kPause,       ///< stop delivering
  kResume,      ///< ... and go on
  kHttpSend,    ///< whole HTTP answer
  kHttpBegin,   ///< status and header of a chunked HTTP answer
  kHttpEnd,     ///< last chunk
  kHttpAbort,   ///< no last chunk: cut
  kOnGone,      ///< set the disconnect callback
  kOnWritable,  ///< set the writable callback
};

/// The rarer parts of a command.
struct CommandExtra {
  Error status{Code::kOk, {}};
  Metadata fields;
  int http_status = 0;
  std::string body;
  std::function<void()> callback;
};

/// What a handler's thread asks of a connection.
struct Command {
  std::shared_ptr<CommandTarget> target;
  SharedBytes bytes;
  std::unique_ptr<CommandExtra> extra;
  CommandKind kind = CommandKind::kSend;
};

/// Takes commands from any thread and runs them in order on its net thread, many a turn.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  /// Thread: any. Never runs the command before it returns. Drops it once the thread has stopped.
  virtual void push(Command command) = 0;
};

}  // namespace truss::net
