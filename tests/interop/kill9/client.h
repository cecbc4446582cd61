#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/net/channel.h"

namespace truss::kill9 {

struct Stored {
  std::string value;
  std::int64_t mod_revision = 0;
};
using Pairs = std::map<std::string, Stored>;

/// Requests as bytes.
SharedBytes put_request(ByteView key, ByteView value);
SharedBytes delete_request(ByteView key);
/// Puts both keys.
SharedBytes two_puts_request(ByteView first, ByteView second, ByteView value);

/// Revision in the header of any response. Errors: kCorruption.
Result<std::int64_t> header_revision(ByteView response);

/// Asks and waits; each call gives up after `patience`.
class Client {
 public:
  Client(net::Channel& channel, Duration patience) : channel_(channel), patience_(patience) {}

  struct Image {
    std::int64_t revision = 0;
    Pairs pairs;
  };
  /// Everything, linearizable.
  Result<Image> read_all();
  /// HashKV up to `revision`.
  Result<std::uint32_t> hash(std::int64_t revision);
  /// Neither waits for an answer.
  void compact(std::int64_t revision);
  void defragment();

 private:
  Result<SharedBytes> call(std::string_view path, SharedBytes request);

  net::Channel& channel_;
  Duration patience_;
};

}  // namespace truss::kill9
