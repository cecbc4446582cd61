#include "stream_decoder.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <sstream>
#include <utility>
#include <vector>

namespace truss::walctl {
namespace {

constexpr std::size_t kMaxLineBytes = 64 << 20;

std::string hex_line(ByteView bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2 + 1);
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out + '\n';
}

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  Result<> open() {
    return ::pipe2(ends.data(), O_CLOEXEC) == 0 ? Result<>() : fail_errno("pipe", errno);
  }
  int take(std::size_t end) { return std::exchange(ends[end], -1); }
};

}  // namespace

Decoded parse_decoder_line(const std::string& line) {
  const std::size_t bar = line.find('|');
  if (bar == std::string::npos)
    return {"decoder output format is not right, print output anyway", line};
  Decoded out{line.substr(0, bar), {}};
  const std::size_t more = line.find('|', bar + 1);
  if (more != std::string::npos)
    out.status += "(*WARNING: data might contain deliminator used by etcd-dump-logs)";
  for (const char c : line.substr(bar + 1))
    if (c != '|') out.data += c;
  return out;
}

Result<std::unique_ptr<StreamDecoder>> StreamDecoder::start(const std::string& command) {
  std::vector<std::string> words;
  std::istringstream in(command);
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty()) return fail(Code::kInvalidArgument, "--stream-decoder names no program");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  Pipe to;
  Pipe from;
  TRUSS_TRY(to.open());
  TRUSS_TRY(from.open());
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to.ends[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, from.ends[1], STDOUT_FILENO);
  pid_t pid = -1;
  const int error =
      ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail_errno("start " + words[0], error);
  // A decoder that ends early is told of by the failed write.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  std::unique_ptr<StreamDecoder> out(new StreamDecoder);
  out->command_ = command;
  out->pid_ = pid;
  out->in_ = to.take(1);
  out->out_ = from.take(0);
  return out;
}

StreamDecoder::~StreamDecoder() {
  ::close(in_);
  ::close(out_);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<> StreamDecoder::write_all(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(in_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(Code::kUnavailable, command_ + ": takes no more entries");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<std::string> StreamDecoder::read_line() {
  for (std::size_t looked = 0;;) {
    const std::size_t end = held_.find('\n', looked);
    if (end != std::string::npos) {
      std::string line = held_.substr(0, end);
      held_.erase(0, end + 1);
      return line;
    }
    looked = held_.size();
    if (looked > kMaxLineBytes)
      return fail(Code::kResourceExhausted, command_ + ": answers with a line without an end");
    std::array<char, 16384> piece;
    const ssize_t got = ::read(out_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(Code::kUnavailable, command_ + ": ended without an answer");
    held_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

Result<Decoded> StreamDecoder::decode(ByteView payload) {
  TRUSS_TRY(write_all(hex_line(payload)));
  TRUSS_ASSIGN(const std::string line, read_line());
  return parse_decoder_line(line);
}

}  // namespace truss::walctl
