#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <vector>

#include "drive.h"
#include "limits_parts.h"
#include "truss/peertool/limits.h"

namespace truss::peertool {
namespace {

constexpr std::size_t kSourceBytes = 64u << 20;
constexpr std::size_t kPieceBytes = 256u << 10;

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// A listening socket on loopback, and its address.
struct Listener {
  Listener() {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ok = ::bind(fd.get(), where(), size) == 0 && ::listen(fd.get(), 1) == 0 &&
         ::getsockname(fd.get(), where(), &size) == 0;
  }
  sockaddr* where() { return reinterpret_cast<sockaddr*>(&address); }

  Descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  bool ok = false;
};

bool send_file(int socket, int file, std::uint64_t bytes) {
  while (bytes > 0) {
    off_t offset = 0;
    auto left = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kSourceBytes));
    bytes -= left;
    while (left > 0) {
      const ssize_t sent = ::sendfile(socket, file, &offset, left);
      if (sent <= 0) return false;
      left -= static_cast<std::size_t>(sent);
    }
  }
  return ::shutdown(socket, SHUT_WR) == 0;
}

bool send_from_memory(int socket, const std::vector<char>& piece, std::uint64_t bytes) {
  while (bytes > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, piece.size()));
    const ssize_t sent = ::send(socket, piece.data(), size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes -= static_cast<std::uint64_t>(sent);
  }
  return ::shutdown(socket, SHUT_WR) == 0;
}

std::uint64_t receive_all(int socket) {
  std::vector<char> buffer(kPieceBytes);
  std::uint64_t bytes = 0;
  for (;;) {
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) return bytes;
    bytes += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

Result<double> plain_copy_rate(Runtime& runtime, PlainCopy how, std::uint64_t bytes) {
  const Descriptor file(::memfd_create("peerbench", MFD_CLOEXEC));
  const std::vector<char> piece(kPieceBytes, 'x');
  Listener listener;
  for (std::size_t at = 0; at < kSourceBytes; at += kPieceBytes) {
    if (listener.ok && ::write(file.get(), piece.data(), piece.size()) > 0) continue;
    return fail_errno("plain copy over loopback", errno);
  }
  const Descriptor sender(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(sender.get(), listener.where(), listener.size) != 0) {
    return fail_errno("connect on loopback", errno);
  }
  const Descriptor receiver(::accept(listener.fd.get(), nullptr, nullptr));
  const auto executor = runtime.make_executor("plain-copy");
  std::promise<std::uint64_t> received;
  auto future = received.get_future();
  const MonoTime start = runtime.clock().now();
  executor->post([&] { received.set_value(receive_all(receiver.get())); });
  const bool sent = how == PlainCopy::kSendfile ? send_file(sender.get(), file.get(), bytes)
                                                : send_from_memory(sender.get(), piece, bytes);
  if (!sent) ::shutdown(sender.get(), SHUT_RDWR);
  const std::uint64_t got = future.get();
  const double seconds = std::chrono::duration<double>(runtime.clock().now() - start).count();
  executor->stop();
  if (!sent || got != bytes) return fail(Code::kUnavailable, "plain copy over loopback broke off");
  return static_cast<double>(bytes) / seconds;
}

namespace {

Result<double> channel_rate(Rig& rig, std::uint64_t bytes) {
  const TransferResult sent = drive_snapshots(rig, bytes, 1, {});
  if (sent.took.empty()) return fail(Code::kUnavailable, "self: took no snapshot");
  return static_cast<double>(bytes) / std::chrono::duration<double>(sent.took.front()).count();
}

}  // namespace

Result<Report> measure_limits(Runtime& runtime, const LimitsOptions& options, const Tick& tick) {
  Report report = new_report("limits", "self", runtime.clock());
  LimitsReport& out = report.limits;
  measure_codec(runtime.clock(), options.each, out);
  TRUSS_ASSIGN(const auto rig, make_self_rig(runtime, {}));
  const double rounds = static_cast<double>(options.transfers) + 1;  // the codec's is the first
  double plain = 0;
  double channel = 0;
  for (std::size_t i = 0; i < options.transfers; ++i) {
    if (tick && !tick(static_cast<double>(i + 1) / rounds)) {
      return fail(Code::kCanceled, "interrupted");
    }
    for (const PlainCopy how : {PlainCopy::kSendfile, PlainCopy::kSend}) {
      TRUSS_ASSIGN(const double rate, plain_copy_rate(runtime, how, options.transfer_bytes));
      plain = std::max(plain, rate);
    }
    TRUSS_ASSIGN(const double rate, channel_rate(*rig, options.transfer_bytes));
    channel = std::max(channel, rate);
  }
  out.plain_copy_mb_per_second = plain / 1e6;
  out.snapshot_channel_mb_per_second = channel / 1e6;
  out.plain_over_snapshot = plain / channel;
  return report;
}

}  // namespace truss::peertool
