// Kills a real member with kill -9 under load, over and over, and checks after each restart that
// no acknowledged write is lost, none is invented, and the history keeps its hash.
//   truss_kill9 --member PROGRAM --dir FOLDER [--rounds N] [--seed N] [--compat LEVEL] [--etcd
//   PROGRAM]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client.h"
#include "process.h"
#include "writer.h"

namespace truss::kill9 {
namespace {

using std::chrono::milliseconds;

struct Options {
  std::string member;
  std::string etcd;  ///< real etcd, started on the directory at the end
  std::string dir;
  std::string compat = "3.4";
  std::uint64_t rounds = 20;
  std::uint64_t seed = 1;
};

class Torture {
 public:
  explicit Torture(Options options)
      : options_(std::move(options)),
        random_(options_.seed),
        server_(options_.dir + "/data", options_.dir + "/log") {
    for (int i = 0; i < 8; ++i) writers_.push_back(std::make_unique<Writer>(i, random_.next()));
  }

  /// Empty if all went well.
  std::string run() {
    for (round_ = 1; round_ <= options_.rounds; ++round_) {
      if (random_.below(4) == 0) kill_at_start();
      if (std::string wrong = one_round(); !wrong.empty()) return wrong;
    }
    return last_start();
  }

  void print_summary() const {
    std::uint64_t writes = 0;
    for (const auto& writer : writers_) writes += writer->acknowledged();
    std::printf("%llu kills under load, %llu while starting, %llu acknowledged writes\n",
                static_cast<unsigned long long>(options_.rounds),
                static_cast<unsigned long long>(kills_at_start_),
                static_cast<unsigned long long>(writes));
  }

 private:
  void start_member() {
    server_.start(options_.member,
                  {"--compat=" + options_.compat, "--heartbeat-interval=20",
                   "--election-timeout=200", "--snapshot-count=1000", "--log-level=warn"});
  }

  void kill_at_start() {
    start_member();
    std::this_thread::sleep_for(milliseconds(random_.below(120)));
    server_.kill9();
    ++kills_at_start_;
  }

  std::string one_round() {
    start_member();
    net::IoThread thread("load", clock_);
    net::Channel channel(thread, clock_, server_.address());
    if (std::string wrong = check(channel); !wrong.empty()) return wrong;
    for (const auto& writer : writers_) {
      thread.post([&writer, &channel] { writer->start(channel); });
    }
    const auto load = milliseconds(20 + random_.below(400));
    std::this_thread::sleep_for(load / 2);
    upkeep(channel);
    std::this_thread::sleep_for(load / 2);
    if (!server_.alive()) return "the member ended by itself";
    server_.kill9();
    return wait_for_writers();
  }

  /// Something else to break off, in some rounds. Not waited for.
  void upkeep(net::Channel& channel) {
    Client client(channel, std::chrono::seconds(10));
    if (round_ % 7 == 0) client.defragment();
    if (round_ % 5 != 0) return;
    client.compact(hashed_revision_ - 50);
    hashed_revision_ = 0;  // a compaction changes the hashes of later revisions, too
  }

  std::string wait_for_writers() {
    for (int i = 0; i < 3000; ++i) {
      bool idle = true;
      for (const auto& writer : writers_) idle = idle && writer->idle();
      if (idle) return {};
      std::this_thread::sleep_for(milliseconds(10));
    }
    return "calls are still open half a minute after the kill";
  }

  /// Waits for the server to serve, then compares.
  std::string check(net::Channel& channel) {
    const auto image = read_when_ready(channel);
    if (!image) return "no answer after the restart: " + image.error().message;
    std::size_t keys = 0;
    for (const auto& writer : writers_) {
      if (writer->last_revision() > image->revision) {
        return "revision went back from " + std::to_string(writer->last_revision()) + " to " +
               std::to_string(image->revision);
      }
      if (std::string wrong = writer->reconcile(image->pairs); !wrong.empty()) return wrong;
    }
    for (const auto& [key, stored] : image->pairs) keys += key.starts_with("w");
    if (keys != image->pairs.size()) return "keys that nobody wrote";
    return check_hashes(channel, image->revision);
  }

  Result<Client::Image> read_when_ready(net::Channel& channel) {
    Result<Client::Image> image = fail(Code::kUnavailable, "not asked");
    for (int i = 0; i < 600 && server_.alive(); ++i) {
      image = Client(channel, std::chrono::seconds(5)).read_all();
      if (image) return image;
      std::this_thread::sleep_for(milliseconds(50));
    }
    if (!server_.alive()) return fail(Code::kUnavailable, "the member ended");
    return image;
  }

  std::string check_hashes(net::Channel& channel, std::int64_t revision) {
    Client client(channel, std::chrono::seconds(30));
    if (hashed_revision_ > 0) {
      const auto found = client.hash(hashed_revision_);
      if (!found) return "HashKV: " + found.error().message;
      if (*found != hash_) {
        return "HashKV at revision " + std::to_string(hashed_revision_) + " changed";
      }
    }
    const auto now = client.hash(revision);
    if (!now) return "HashKV: " + now.error().message;
    hashed_revision_ = revision;
    hash_ = *now;
    return {};
  }

  /// A graceful end, then real etcd on the same directory.
  std::string last_start() {
    start_member();
    if (std::string wrong = check_fresh(); !wrong.empty()) return wrong;
    if (!server_.stop()) return "no good end after SIGTERM";
    if (options_.etcd.empty()) return {};
    server_.start(options_.etcd, {"--logger=zap", "--log-outputs=stderr"});
    if (std::string wrong = check_fresh(); !wrong.empty()) return "real etcd: " + wrong;
    server_.stop();
    std::printf("real etcd agrees\n");
    return {};
  }

  std::string check_fresh() {
    net::IoThread thread("check", clock_);
    net::Channel channel(thread, clock_, server_.address());
    return check(channel);
  }

  const Options options_;
  SeededRandom random_;
  SystemClock clock_;
  ServerProcess server_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::int64_t hashed_revision_ = 0;  // of the last check; 0: none to compare with
  std::uint32_t hash_ = 0;
  std::uint64_t round_ = 0;
  std::uint64_t kills_at_start_ = 0;
};

bool parse(int argc, char** argv, Options& out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "--member")
      out.member = value;
    else if (flag == "--etcd")
      out.etcd = value;
    else if (flag == "--dir")
      out.dir = value;
    else if (flag == "--compat")
      out.compat = value;
    else if (flag == "--rounds")
      out.rounds = std::strtoull(value.c_str(), nullptr, 10);
    else if (flag == "--seed")
      out.seed = std::strtoull(value.c_str(), nullptr, 10);
    else
      return false;
  }
  return argc % 2 == 1 && !out.member.empty() && !out.dir.empty();
}

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: truss_kill9 --member PROGRAM --dir FOLDER [--rounds N] [--seed N] "
                 "[--compat LEVEL] [--etcd PROGRAM]\n");
    return 2;
  }
  std::filesystem::remove_all(options.dir);
  std::filesystem::create_directories(options.dir);
  Torture torture(options);
  const std::string wrong = torture.run();
  torture.print_summary();
  if (wrong.empty()) {
    std::filesystem::remove_all(options.dir);
    return 0;
  }
  std::printf("FAILED with seed %llu: %s\nthe data and the log are left in %s\n",
              static_cast<unsigned long long>(options.seed), wrong.c_str(), options.dir.c_str());
  return 1;
}

}  // namespace
}  // namespace truss::kill9

int main(int argc, char** argv) { return truss::kill9::main(argc, argv); }
