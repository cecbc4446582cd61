#include "byte_stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace truss::net {
namespace {

IoOutcome failure() {
  const int error = errno;
  if (error == EAGAIN || error == EWOULDBLOCK) return {IoOutcome::Kind::kWouldBlock, 0, 0};
  return {IoOutcome::Kind::kBroken, 0, error};
}

}  // namespace

IoOutcome SocketStream::read(std::span<char> into) {
  ssize_t size = 0;
  do {
    size = ::recv(fd_, into.data(), into.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return failure();
  if (size == 0) return {IoOutcome::Kind::kEnd, 0, 0};
  return {IoOutcome::Kind::kDone, static_cast<std::size_t>(size), 0};
}

IoOutcome SocketStream::write(ByteView bytes) {
  ssize_t size = 0;
  do {
    size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return failure();
  return {IoOutcome::Kind::kDone, static_cast<std::size_t>(size), 0};
}

void SocketStream::end_writing() { ::shutdown(fd_, SHUT_WR); }

}  // namespace truss::net
