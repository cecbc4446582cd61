#include "child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "truss/common/random.h"

namespace truss::cluster {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(5);
constexpr int kLowestPort = 10'000;
constexpr int kPorts = 22'000;

[[noreturn]] void exec(const std::vector<std::string>& command, const std::string& log) {
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

void ChildProcess::start(const std::vector<std::string>& command, const std::string& log) {
  pid_ = ::fork();
  if (pid_ == 0) exec(command, log);
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
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (const auto status = reap(WNOHANG)) return status;
    if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
    std::this_thread::sleep_for(kPoll);
  }
}

bool ChildProcess::alive() {
  reap(WNOHANG);
  return pid_ > 0;
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

}  // namespace truss::cluster
