#pragma once

#include <memory>
#include <string>

#include "truss/common/bytes.h"
#include "truss/common/error.h"

namespace truss::walctl {

/// What a program says of one entry.
struct Decoded {
  std::string status;
  std::string data;
};

/// The halves of a decoder's line, as etcd-dump-logs takes them apart: `STATUS|DATA`.
/// *Source:* etcd tools/etcd-dump-logs parseDecoderOutput.
Decoded parse_decoder_line(const std::string& line);

/// A program that is given each entry's payload as a line of hex and answers with a line.
/// *Thread:* one.
class StreamDecoder {
 public:
  /// \param command  words separated by blanks; the first is found by PATH
  /// *Errors:* kInvalidArgument without a word; I/O if it can't be started.
  static Result<std::unique_ptr<StreamDecoder>> start(const std::string& command);
  /// Closes its input and waits for its end.
  ~StreamDecoder();
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;

  /// *Errors:* kUnavailable if the program has ended; kResourceExhausted for an endless line.
  Result<Decoded> decode(ByteView payload);

 private:
  StreamDecoder() = default;
  Result<> write_all(ByteView bytes);
  Result<std::string> read_line();

  std::string command_;
  int pid_ = -1;
  int in_ = -1;  // the program's
  int out_ = -1;
  std::string held_;
};

}  // namespace truss::walctl
