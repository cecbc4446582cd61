// Bodies that stream from HttpClient to Server over real sockets.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "http_client_support.h"

namespace truss::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT: one file

char byte_at(std::size_t offset) {
  return static_cast<char>((offset * 31 + (offset >> 12)) & 0xff);
}

/// `size` bytes that say where they stand, in pieces; with `broken_at` the disk fails there.
class Pattern final : public HttpBodySource {
 public:
  explicit Pattern(std::size_t size, std::size_t broken_at = std::string::npos)
      : size_(size), broken_at_(broken_at) {}
  Result<Pull> pull(SharedBytes& piece) override {
    if (at_ >= broken_at_) return fail(Code::kDataLoss, "disk gone");
    if (at_ == size_) return Pull::kEnd;
    const std::size_t count = std::min<std::size_t>(60'000, size_ - at_);
    piece = SharedBytes::build(count, [&](char* out) {
      for (std::size_t i = 0; i < count; ++i) out[i] = byte_at(at_ + i);
    });
    at_ += count;
    pulled = at_;
    return Pull::kPiece;
  }
  std::atomic<std::size_t> pulled{0};

 private:
  const std::size_t size_;
  const std::size_t broken_at_;
  std::size_t at_ = 0;
};

/// A piece only when another thread hands it over.
class Paced final : public HttpBodySource {
 public:
  Result<Pull> pull(SharedBytes& piece) override {
    const std::lock_guard lock(mutex_);
    if (pieces_.empty()) return ended_ ? Pull::kEnd : Pull::kLater;
    piece = std::move(pieces_.front());
    pieces_.erase(pieces_.begin());
    return Pull::kPiece;
  }
  void give(std::string_view piece) {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(SharedBytes::copy(piece));
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }

 private:
  std::mutex mutex_;
  std::vector<SharedBytes> pieces_;
  bool ended_ = false;
};

/// Takes a body as a disk would: another thread works on each piece while the next ones wait.
struct SlowDisk {
  explicit SlowDisk(WebService& service) {
    service.on_upload = [this](HttpReply reply) {
      reply.on_body([this, reply](ByteView piece, bool last) mutable {
        const std::size_t now = waiting += piece.size();
        most = std::max(most.load(), now);
        if (now > 256u << 10) reply.pause_body(true);
        disk->post([this, reply, bytes = SharedBytes::copy(piece), last]() mutable {
          for (const char c : bytes.view()) right += c == byte_at(taken++) ? 1 : 0;
          if ((waiting -= bytes.size()) == 0) reply.pause_body(false);
          if (last) reply.send(204, {}, "");
        });
      });
    };
  }
  ~SlowDisk() { disk->stop(); }

  ThreadRuntime runtime;
  std::unique_ptr<Executor> disk = runtime.make_executor("disk");
  std::atomic<std::size_t> waiting{0};
  std::atomic<std::size_t> most{0};
  std::size_t taken = 0;  ///< disk thread
  std::size_t right = 0;
};

TEST_CASE("a large body arrives whole and in order, and nowhere piles up") {
  constexpr std::size_t kSize = 32u << 20;
  WebService service;
  SlowDisk disk(service);
  WebClient web;
  const auto answer = web.upload({.url = service.url + "/body"}, std::make_shared<Pattern>(kSize));
  REQUIRE(answer);
  CHECK(answer->status == 204);
  CHECK(disk.right == kSize);
  CHECK(disk.most < 2u << 20);
  CHECK(service.left.count() == 0);
}

TEST_CASE("a body at its producer's pace") {
  WebService service;
  Counter pieces;
  service.on_upload = [&](HttpReply reply) {
    auto all = std::make_shared<std::string>();
    reply.on_body([&pieces, all, reply](ByteView piece, bool last) mutable {
      all->append(piece);
      if (last) return reply.send(200, {}, *all);
      pieces.add(static_cast<int>(piece.size()));
    });
  };
  WebClient web;
  const auto source = std::make_shared<Paced>();
  Box<Result<HttpResponse>> box;
  HttpExchange exchange =
      web.client.upload({.method = "POST", .url = service.url + "/body"}, source,
                        [&](Result<HttpResponse> got) { box.put(std::move(got)); });
  int said = 0;
  for (const char* piece : {"one", "two", "three"}) {
    source->give(piece);
    exchange.body_ready();
    said += static_cast<int>(std::string_view(piece).size());
    REQUIRE(pieces.reaches(said));
  }
  source->end();
  exchange.body_ready();
  const auto answer = box.take();
  REQUIRE(answer);
  CHECK(answer->body == "onetwothree");
}

TEST_CASE("a server that answers early stops the upload, and its answer arrives") {
  constexpr std::size_t kSize = 1u << 30;
  WebService service;
  service.on_upload = [](HttpReply reply) { reply.send(412, {}, "cluster ID mismatch\n"); };
  WebClient web;
  for (int i = 0; i < 20; ++i) {
    const auto source = std::make_shared<Pattern>(kSize);
    const auto answer = web.upload({.url = service.url + "/body"}, source);
    REQUIRE(answer);
    CHECK(answer->status == 412);
    CHECK(answer->body == "cluster ID mismatch\n");
    CHECK(source->pulled < kSize / 4);
  }
}

TEST_CASE("a source that fails leaves the server without the end") {
  WebService service;
  std::atomic<bool> ended{false};
  service.on_upload = [&](HttpReply reply) {
    reply.on_body([&](ByteView, bool last) { ended = ended || last; });
  };
  WebClient web;
  const auto answer =
      web.upload({.url = service.url + "/body"}, std::make_shared<Pattern>(8u << 20, 2u << 20));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kDataLoss);
  CHECK(service.left.reaches(1));
  CHECK_FALSE(ended);
}

TEST_CASE("a server that leaves in mid-body fails the upload") {
  WebService service;
  service.on_upload = [](HttpReply reply) {
    reply.on_body([reply](ByteView, bool) mutable { reply.abort(); });
  };
  WebClient web;
  const auto answer =
      web.upload({.url = service.url + "/body"}, std::make_shared<Pattern>(256u << 20));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kUnavailable);
}

TEST_CASE("a server that stops taking the body: the write time-out; the silence after it") {
  WebService service;
  service.on_upload = [](HttpReply reply) { reply.pause_body(true); };
  WebClient web;
  const auto stuck = web.upload({.url = service.url + "/body", .times = {.write = 200ms}},
                                std::make_shared<Pattern>(256u << 20));
  REQUIRE_FALSE(stuck);
  CHECK(stuck.error().code == Code::kDeadlineExceeded);
  const auto mute = web.upload({.url = service.url + "/body", .times = {.response = 100ms}},
                               std::make_shared<Pattern>(1000));
  REQUIRE_FALSE(mute);
  CHECK(mute.error().code == Code::kDeadlineExceeded);
}

TEST_CASE("a stalled upload is dropped by the server's read deadline") {
  WebService service({.http_read_timeout = 100ms});
  service.on_upload = [](HttpReply) {};
  WebClient web;
  const auto source = std::make_shared<Paced>();
  source->give("some");
  const auto answer = web.upload({.url = service.url + "/body"}, source);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kUnavailable);
  CHECK(service.left.reaches(1));
}

}  // namespace
}  // namespace truss::net
