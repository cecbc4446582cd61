#include "subject.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace truss::bench {
namespace {

constexpr auto kStartPatience = std::chrono::seconds(30);
constexpr auto kStopPatience = std::chrono::seconds(10);
constexpr auto kPoll = std::chrono::milliseconds(20);

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

/// A port that was free a moment ago.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  int port = 0;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  ::close(fd);
  return port;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::int64_t status_kib(const std::string& status, const std::string& key) {
  const std::size_t at = status.find(key + ":");
  return at == std::string::npos ? 0 : std::atoll(status.c_str() + at + key.size() + 1);
}

double cpu_of(pid_t pid) {
  const std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t after_name = stat.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream in(stat.substr(after_name + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) in >> skipped;
  double user = 0;
  double system = 0;
  in >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// The sample of a metric without labels.
double metric(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::atof(text.c_str() + at + name.size() + 2);
}

[[noreturn]] void exec(const std::vector<std::string>& command, const std::string& log) {
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::setenv("ETCD_UNSUPPORTED_ARCH", "", 1);
  ::execv(argv[0], argv.data());
  std::perror(argv[0]);
  ::_exit(127);
}

}  // namespace

double machine_busy_seconds() {
  std::istringstream in(slurp("/proc/stat"));
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  in >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  return (user + nice + system + irq + softirq) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Result<std::string> http_get(const std::string& address, const std::string& path) {
  const std::size_t colon = address.rfind(':');
  const sockaddr_in where = loopback(std::atoi(address.c_str() + colon + 1));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{2, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0) {
    const std::string request =
        "GET " + path + " HTTP/1.0\r\nHost: " + address + "\r\nConnection: close\r\n\r\n";
    ssize_t size = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    std::vector<char> buffer(64 << 10);
    while (size > 0 && (size = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0) {
      answer.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  ::close(fd);
  const std::size_t body = answer.find("\r\n\r\n");
  const bool ok = answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200");
  if (!ok || body == std::string::npos) {
    return fail(Code::kUnavailable, "GET " + address + path + ": no answer");
  }
  return answer.substr(body + 4);
}

Subject::Subject(SubjectSpec spec, std::string folder, std::string seat)
    : spec_(std::move(spec)),
      seat_(std::move(seat)),
      data_(std::move(folder) + "/" + spec_.name + "-" + seat_),
      address_("127.0.0.1:" + std::to_string(free_port())),
      peer_address_("127.0.0.1:" + std::to_string(free_port())),
      advertised_(peer_address_) {
  std::filesystem::remove_all(data_);
  std::filesystem::create_directories(data_);
}

Subject::~Subject() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(data_, ignored);
}

std::vector<std::string> Subject::command() const {
  const std::string client = "http://" + address_;
  const std::string peer = "http://" + peer_address_;
  std::vector<std::string> out = {
      spec_.program,
      "--name=" + seat_,
      "--data-dir=" + data_ + "/data",
      "--listen-client-urls=" + client,
      "--advertise-client-urls=" + client,
      "--listen-peer-urls=" + peer,
      "--initial-advertise-peer-urls=http://" + advertised_,
      "--initial-cluster=" + (initial_cluster_.empty() ? seat_and_url() : initial_cluster_),
      existing_ ? "--initial-cluster-state=existing" : "--initial-cluster-state=new",
      "--logger=zap",
      "--log-level=warn",
      "--quota-backend-bytes=8589934592"};
  out.insert(out.end(), spec_.flags.begin(), spec_.flags.end());
  return out;
}

void Subject::join(std::string initial_cluster, bool existing) {
  initial_cluster_ = std::move(initial_cluster);
  existing_ = existing;
}

Result<void> Subject::start() {
  TRUSS_TRY(launch());
  return wait_until_up();
}

Result<void> Subject::launch() {
  const std::vector<std::string> words = command();
  pid_ = ::fork();
  if (pid_ < 0) return fail_errno("fork", errno);
  if (pid_ == 0) exec(words, data_ + "/log");
  return {};
}

Result<void> Subject::wait_until_up() {
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  while (std::chrono::steady_clock::now() < deadline && alive()) {
    const auto health = http_get(address_, "/health");
    if (health && health->find("\"health\":\"true\"") != std::string::npos) return {};
    std::this_thread::sleep_for(kPoll);
  }
  return fail(Code::kUnavailable, spec_.program + " did not start: " + log_tail());
}

bool Subject::alive() const { return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0; }

std::string Subject::log_tail() const {
  const std::string log = slurp(data_ + "/log");
  return log.substr(log.size() - std::min<std::size_t>(log.size(), 400));
}

void Subject::stop() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      pid_ = -1;
      return;
    }
    std::this_thread::sleep_for(kPoll);
  }
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Result<Usage> Subject::usage() const {
  TRUSS_ASSIGN(const std::string metrics, http_get(address_, "/metrics"));
  const std::string status = slurp("/proc/" + std::to_string(pid_) + "/status");
  if (status.empty()) return fail(Code::kUnavailable, spec_.name + " has died: " + log_tail());
  Usage out;
  out.cpu_seconds = cpu_of(pid_);
  out.rss_anon_kib = status_kib(status, "RssAnon");
  out.rss_file_kib = status_kib(status, "RssFile");
  out.wal_fsyncs =
      static_cast<std::int64_t>(metric(metrics, "etcd_disk_wal_fsync_duration_seconds_count"));
  return out;
}

}  // namespace truss::bench
