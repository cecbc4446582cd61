#include "members.h"

#include <signal.h>

#include <filesystem>
#include <thread>

#include "truss/common/check.h"

namespace truss::cluster {
namespace {

constexpr auto kCallPatience = std::chrono::milliseconds(300);
constexpr auto kPoll = std::chrono::milliseconds(5);

std::string url(int port) { return "http://127.0.0.1:" + std::to_string(port); }

}  // namespace

Members::Members(Clock& clock, std::vector<MemberSpec> specs, std::string folder)
    : clock_(clock), folder_(std::move(folder)), slots_(specs.size()) {
  std::filesystem::create_directories(folder_);
  std::vector<Links::Ports> ports;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    Slot& slot = slots_[i];
    slot.spec = std::move(specs[i]);
    slot.name = "m" + std::to_string(i + 1);
    slot.client_port = tool::free_port();
    slot.endpoint = "127.0.0.1:" + std::to_string(slot.client_port);
    slot.peer_ports = {tool::free_port(), tool::free_port()};
    ports.push_back(slot.peer_ports);
    client::ClientOptions options;
    options.timeout = kCallPatience;
    slot.client = std::make_unique<client::Client>(clock, slot.endpoint, options);
  }
  links_ = std::make_unique<Links>(std::move(ports));
}

Members::~Members() {
  for (Slot& slot : slots_) slot.process.kill9();
}

std::vector<std::string> Members::command(const Slot& slot) const {
  std::string all;
  for (const Slot& other : slots_) {
    all += (all.empty() ? "" : ",") + other.name + "=" + url(other.peer_ports.dialled);
  }
  std::vector<std::string> out = {slot.spec.program,
                                  "--name=" + slot.name,
                                  "--data-dir=" + folder_ + "/" + slot.name,
                                  "--listen-client-urls=" + url(slot.client_port),
                                  "--advertise-client-urls=" + url(slot.client_port),
                                  "--listen-peer-urls=" + url(slot.peer_ports.listens),
                                  "--initial-advertise-peer-urls=" + url(slot.peer_ports.dialled),
                                  "--initial-cluster=" + all,
                                  "--initial-cluster-token=truss-cluster-test",
                                  "--logger=zap",
                                  "--log-outputs=stderr"};
  out.insert(out.end(), slot.spec.flags.begin(), slot.spec.flags.end());
  return out;
}

std::string Members::log_of(std::size_t index) const {
  return folder_ + "/" + slots_[index].name + ".log";
}

void Members::start(std::size_t index) {
  Slot& slot = slots_[index];
  const auto started = slot.process.start(command(slot), log_of(index));
  TRUSS_CHECK(started.has_value(), "a member of the test's cluster could not be started");
  links_->set_pid(index, slot.process.pid());
}

void Members::start_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) start(i);
}

void Members::pause(std::size_t index) { slots_[index].process.signal(SIGSTOP); }
void Members::resume(std::size_t index) { slots_[index].process.signal(SIGCONT); }

std::optional<int> Members::stop(std::size_t index, Duration patience) {
  slots_[index].process.signal(SIGTERM);
  return slots_[index].process.wait(patience);
}

std::vector<std::string> Members::endpoints() const {
  std::vector<std::string> out;
  for (const Slot& slot : slots_) out.push_back(slot.endpoint);
  return out;
}

std::optional<client::Status> Members::leads(std::size_t index) {
  auto status = client(index).status();
  if (!status || status->leader == 0 || status->leader != status->header.member_id) {
    return std::nullopt;
  }
  return *std::move(status);
}

std::optional<Members::Leader> Members::agreed_leader(const std::vector<std::size_t>& among,
                                                      Duration patience) {
  const MonoTime deadline = clock_.now() + patience;
  for (; clock_.now() < deadline; std::this_thread::sleep_for(kPoll)) {
    std::optional<Leader> leader;
    std::uint64_t leader_id = 0;
    bool agreed = true;
    for (const std::size_t i : among) {
      const auto status = client(i).status();
      agreed = agreed && status && status->leader != 0 &&
               (leader_id == 0 || leader_id == status->leader);
      if (!agreed) break;
      leader_id = status->leader;
      if (status->leader == status->header.member_id) leader = {i, status->header.raft_term};
    }
    if (agreed && leader) return leader;
  }
  return std::nullopt;
}

bool Members::listens(std::size_t index) const {
  return tool::is_listening(slots_[index].peer_ports.listens);
}

bool Members::all_serve(Duration patience) {
  const MonoTime deadline = clock_.now() + patience;
  std::size_t serving = 0;
  while (serving < slots_.size()) {
    if (client(serving).get("startup-probe")) {
      ++serving;
      continue;
    }
    if (clock_.now() > deadline) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace truss::cluster
