#include "truss/tool/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "truss/common/random.h"

namespace truss::tool {
namespace {

constexpr int kLowestPort = 10'000;
constexpr int kPorts = 22'000;

[[noreturn]] void exec(const std::vector<std::string>& command, const std::string& log,
                       const sigset_t& mask) {
  // The handlers of the parent are none of the child's: it would swallow a signal before execv.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV}) {
    ::signal(number, SIG_DFL);
  }
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  std::perror(argv[0]);
  ::_exit(127);
}

/// A socket, and a loopback address for it.
struct Endpoint {
  explicit Endpoint(int port) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
  }
  ~Endpoint() { ::close(fd); }
  const sockaddr* where() const { return reinterpret_cast<const sockaddr*>(&address); }

  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
};

}  // namespace

ChildProcess::~ChildProcess() { kill9(); }

Result<> ChildProcess::start(const std::vector<std::string>& command, const std::string& log) {
  std::vector<std::string> words = command;
  TRUSS_ASSIGN(words.front(), find_program(words.front()));
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  pid_ = ::fork();
  if (pid_ == 0) exec(words, log, before);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid_ < 0) return fail_errno("fork", error);
  return {};
}

void ChildProcess::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> ChildProcess::reap(int flags) {
  if (pid_ <= 0) return status_;
  int status = 0;
  if (::waitpid(pid_, &status, flags) != pid_) return std::nullopt;
  pid_ = -1;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

void ChildProcess::kill9() {
  signal(SIGKILL);
  reap(0);
}

std::optional<int> ChildProcess::wait(Duration patience) {
  if (pid_ <= 0) return status_;
  // Without such a descriptor (an old kernel) this waits for as long as it may.
  pollfd end{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)), POLLIN, 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  while (::poll(&end, 1, static_cast<int>(ms)) < 0 && errno == EINTR) {
  }
  if (end.fd >= 0) ::close(end.fd);
  return reap(WNOHANG);
}

bool ChildProcess::alive() {
  reap(WNOHANG);
  return pid_ > 0;
}

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return name;
    return fail(Code::kNotFound, name + ": no such program");
  }
  const char* path = std::getenv("PATH");
  std::string left = path == nullptr ? "" : path;
  while (!left.empty()) {
    const std::size_t colon = std::min(left.find(':'), left.size());
    const std::string candidate = left.substr(0, colon) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    left.erase(0, colon + 1);
  }
  return fail(Code::kNotFound, name + ": no such program in PATH");
}

int free_port() {
  for (;;) {
    const int port = kLowestPort + static_cast<int>(entropy64() % kPorts);
    const Endpoint endpoint(port);
    if (::bind(endpoint.fd, endpoint.where(), sizeof(sockaddr_in)) == 0) return port;
  }
}

bool is_listening(int port) {
  const Endpoint endpoint(port);
  return ::connect(endpoint.fd, endpoint.where(), sizeof(sockaddr_in)) == 0;
}

}  // namespace truss::tool
