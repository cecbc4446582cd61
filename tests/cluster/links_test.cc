#include "links.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "truss/tool/child_process.h"

namespace truss::cluster {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

/// Member 0 is this process, which dials member 1, this process again as the server behind.
struct TwoMembers {
  TwoMembers() {
    sockaddr_in address = loopback(ports[1].listens);
    listener = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(listener, 10) == 0);
    links.set_pid(0, ::getpid());
  }
  ~TwoMembers() {
    for (const int fd : {listener, dialled, served}) ::close(fd);
  }
  void connect() {
    sockaddr_in address = loopback(ports[1].dialled);
    dialled = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::connect(dialled, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    served = ::accept(listener, nullptr, nullptr);
    REQUIRE(served >= 0);
  }

  std::vector<Links::Ports> ports = {{tool::free_port(), tool::free_port()},
                                     {tool::free_port(), tool::free_port()}};
  Links links{ports};
  int listener = -1;
  int dialled = -1;
  int served = -1;
};

void send(int fd, const std::string& bytes) {
  REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
}

/// What comes within `patience`: bytes, `end` at the end of the stream or its reset, `nothing`.
std::string receive(int fd, int patience_ms) {
  pollfd polled{fd, POLLIN, 0};
  if (::poll(&polled, 1, patience_ms) == 0) return "nothing";
  char bytes[100];
  const ssize_t size = ::recv(fd, bytes, sizeof(bytes), 0);
  return size <= 0 ? "end" : std::string(bytes, static_cast<std::size_t>(size));
}

constexpr int kLong = 5000;
constexpr int kShort = 50;

TEST_CASE("bytes pass both ways, and the dialler is known") {
  TwoMembers two;
  two.connect();
  send(two.dialled, "there");
  CHECK(receive(two.served, kLong) == "there");
  send(two.served, "back");
  CHECK(receive(two.dialled, kLong) == "back");
  CHECK(two.links.attributed() == 1);
  ::shutdown(two.dialled, SHUT_WR);
  CHECK(receive(two.served, kLong) == "end");
  send(two.served, "still");
  CHECK(receive(two.dialled, kLong) == "still");
}

TEST_CASE("held bytes arrive after the cut; the other direction is open") {
  TwoMembers two;
  two.connect();
  two.links.cut(0, 1, Cut::kHold);
  send(two.dialled, "late");
  CHECK(receive(two.served, kShort) == "nothing");
  send(two.served, "back");
  CHECK(receive(two.dialled, kLong) == "back");
  two.links.heal();
  CHECK(receive(two.served, kLong) == "late");
}

TEST_CASE("swallowed bytes never arrive, and break the connection after the cut") {
  TwoMembers two;
  two.connect();
  two.links.cut(1, 0, Cut::kSwallow);
  send(two.served, "gone");
  CHECK(receive(two.dialled, kShort) == "nothing");
  send(two.dialled, "there");
  CHECK(receive(two.served, kLong) == "there");
  two.links.heal();
  CHECK(receive(two.dialled, kLong) == "end");
}

TEST_CASE("a half-closed direction ends, the other goes on") {
  TwoMembers two;
  two.connect();
  two.links.cut(0, 1, Cut::kHalfClose);
  CHECK(receive(two.served, kLong) == "end");
  send(two.served, "back");
  CHECK(receive(two.dialled, kLong) == "back");
}

TEST_CASE("a connection made during a cut is cut, too") {
  TwoMembers two;
  two.links.cut(0, 1, Cut::kHold);
  two.connect();
  send(two.dialled, "late");
  CHECK(receive(two.served, kShort) == "nothing");
  two.links.heal();
  CHECK(receive(two.served, kLong) == "late");
}

TEST_CASE("connections of strangers are never cut") {
  TwoMembers two;
  two.links.set_pid(0, 1);
  two.connect();
  two.links.cut(0, 1, Cut::kHold);
  send(two.dialled, "through");
  CHECK(receive(two.served, kLong) == "through");
  CHECK(two.links.attributed() == 0);
}

}  // namespace
}  // namespace truss::cluster
