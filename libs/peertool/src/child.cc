#include "child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace truss::peertool {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kPoll = std::chrono::milliseconds(10);

[[noreturn]] void exec(const std::vector<std::string>& command, const std::string& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty() && !keep_) std::filesystem::remove_all(path_, ignored);
}

Result<> ScratchFolder::make(const std::string& parent) {
  const char* tmp = std::getenv("TMPDIR");
  std::string name = !parent.empty() ? parent : tmp != nullptr && *tmp != '\0' ? tmp : "/tmp";
  name += "/peerbench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return fail_errno("mkdir " + name, errno);
  path_ = name;
  return {};
}

Result<std::uint64_t> ScratchFolder::free_bytes() const {
  struct statvfs info {};
  if (::statvfs(path_.c_str(), &info) != 0) return fail_errno("statvfs " + path_, errno);
  return std::uint64_t{info.f_bavail} * info.f_frsize;
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

Child::~Child() { stop(); }

Result<> Child::start(const std::vector<std::string>& command, const std::string& log) {
  std::vector<std::string> words = command;
  TRUSS_ASSIGN(words.front(), find_program(words.front()));
  log_ = log;
  pid_ = ::fork();
  if (pid_ < 0) return fail_errno("fork", errno);
  if (pid_ == 0) exec(words, log);
  return {};
}

bool Child::alive() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

void Child::stop() {
  if (!alive()) return;
  ::kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (alive() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kPoll);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Child::last_words() const {
  std::ifstream in(log_, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  text = text.substr(text.size() - std::min<std::size_t>(text.size(), 600));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? "it said nothing" : text;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  int port = 0;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(fd);
  return port;
}

}  // namespace truss::peertool
