#include "process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace truss::kill9 {
namespace {

/// A loopback address whose port was free a moment ago. Two calls give two ports.
std::string free_address() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) std::abort();
  ::close(fd);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

[[noreturn]] void exec(const std::vector<std::string>& command, const std::string& log) {
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

}  // namespace

ServerProcess::ServerProcess(std::string data_dir, std::string log)
    : data_dir_(std::move(data_dir)),
      log_(std::move(log)),
      client_(free_address()),
      peer_(free_address()) {}

ServerProcess::~ServerProcess() { kill9(); }

void ServerProcess::start(const std::string& program, const std::vector<std::string>& flags) {
  std::vector<std::string> command = {program,
                                      "--name=kill9",
                                      "--data-dir=" + data_dir_,
                                      "--listen-client-urls=http://" + client_,
                                      "--advertise-client-urls=http://" + client_,
                                      "--listen-peer-urls=http://" + peer_,
                                      "--initial-advertise-peer-urls=http://" + peer_,
                                      "--initial-cluster=kill9=http://" + peer_};
  command.insert(command.end(), flags.begin(), flags.end());
  pid_ = ::fork();
  if (pid_ == 0) exec(command, log_);
}

bool ServerProcess::alive() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

void ServerProcess::kill9() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool ServerProcess::stop() {
  if (pid_ <= 0) return false;
  ::kill(pid_, SIGTERM);
  for (int i = 0; i < 1000; ++i) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      // etcd ends itself by the signal it got
      return WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGTERM;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill9();
  return false;
}

}  // namespace truss::kill9
