#include "config_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "command_line.h"
#include "options.h"

using namespace truss;
using namespace truss::member;

namespace {

// A config file that lives as long as the test.
class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    const int fd = mkstemp(path_.data());
    REQUIRE(fd >= 0);
    close(fd);
    std::ofstream(path_) << text;
  }
  ~TempFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/truss-config-XXXXXX";
};

Result<Settings> read(const std::string& text) {
  const TempFile file(text);
  PosixFileSystem files;
  Settings out;
  auto done = read_config_file(files, file.path(), out);
  if (!done) {
    auto& message = done.error().message;
    if (const auto at = message.find(file.path()); at != std::string::npos) {
      message.replace(at, file.path().size(), "FILE");
    }
    return Unexpected(done.error());
  }
  return out;
}

}  // namespace

TEST_CASE("config file: keys are the flags' names, durations nanoseconds, lists lists") {
  const auto s = read(
      "name: m1\nheartbeat-interval: 50\nelection-timeout: 500\n"
      "grpc-keepalive-timeout: 3000000000\nlog-outputs: [stderr, /tmp/x]\n"
      "listen-client-urls: http://127.0.0.1:1,http://127.0.0.1:2\nno-such-key: 5\n"
      "strict-reconfig-check: false\nwal-dir:\n");
  REQUIRE(s);
  CHECK(s->text("name") == "m1");
  CHECK(s->duration("grpc-keepalive-timeout") == 3'000'000'000);
  CHECK(s->list("log-outputs") == std::vector<std::string>{"stderr", "/tmp/x"});
  CHECK(s->list("listen-client-urls").size() == 2);
  CHECK_FALSE(s->flag("strict-reconfig-check"));
  CHECK_FALSE(s->given("wal-dir"));
}

TEST_CASE("config file: security maps are flattened, so that TLS is refused, not ignored") {
  const auto s = read(
      "client-transport-security:\n  cert-file: /c\n  client-cert-auth: true\n"
      "peer-transport-security:\n  trusted-ca-file: /p\n  allowed-cn: [a, b]\n");
  REQUIRE(s);
  CHECK(s->text("cert-file") == "/c");
  CHECK(s->flag("client-cert-auth"));
  CHECK(s->text("peer-trusted-ca-file") == "/p");
  CHECK(s->text("peer-cert-allowed-cn") == "a,b");
  CHECK(std::holds_alternative<Exit>(make_options(*s)));
}

TEST_CASE("config file: JSON will do") {
  const auto s = read(R"({"name":"j","max-wals":3})");
  REQUIRE(s);
  CHECK(s->number("max-wals") == 3);
}

TEST_CASE("config file: errors name the file and the key") {
  CHECK(read("heartbeat-interval: often\n").error().message ==
        "config file FILE: key heartbeat-interval: \"often\": parse error");
  CHECK(read("name: {a: b}\n").error().message ==
        "config file FILE: key name: a map where a value is due");
  CHECK(read("- a\n").error().message == "config file FILE: not a YAML map");
  CHECK(!read("a: [b\n"));
}

TEST_CASE("config file: it replaces flags and variables") {
  const TempFile file("name: from-file\n");
  PosixFileSystem files;
  const auto check = [&](const std::vector<std::string>& words,
                         const std::vector<std::string>& environment) {
    const auto got = read_settings(words, environment, files);
    REQUIRE(std::holds_alternative<Settings>(got));
    const auto& s = std::get<Settings>(got);
    CHECK(s.text("name") == "from-file");
    CHECK_FALSE(s.given("data-dir"));
  };
  check({"--config-file", file.path(), "--data-dir=/d"}, {"ETCD_NAME=x"});
  check({}, {"ETCD_CONFIG_FILE=" + file.path(), "ETCD_NAME=x"});
  const auto absent = read_settings({"--config-file=/no/such"}, {}, files);
  REQUIRE(std::holds_alternative<Exit>(absent));
  CHECK(std::get<Exit>(absent).code == 1);
}
