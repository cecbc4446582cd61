#include "snapshot_stream.h"

#include <openssl/evp.h>

#include <array>

#include "wire_write.h"

namespace truss::api {
namespace {

constexpr std::size_t kPieceBytes = 32 * 1024;
constexpr std::size_t kSnapshotHighWater = 1u << 20;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(ByteView bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  std::string finish() {
    std::array<unsigned char, 32> out{};
    EVP_DigestFinal_ex(context_, out.data(), nullptr);
    return std::string(out.begin(), out.end());
  }

 private:
  EVP_MD_CTX* context_;
};

// Lives on: the bulk executor; the StreamHandler callbacks only post.
class SnapshotStream final : public net::StreamHandler,
                             public std::enable_shared_from_this<SnapshotStream> {
 public:
  SnapshotStream(Context& context, std::shared_ptr<StreamPort> port)
      : context_(context), port_(std::move(port)) {}

  void on_message(SharedBytes) override { post(&SnapshotStream::start); }
  void on_writable() override { post(&SnapshotStream::pump); }
  void on_done(const Error&) override { post(&SnapshotStream::close); }

 private:
  void post(void (SnapshotStream::*work)()) {
    context_.bulk.post([self = shared_from_this(), work] { ((*self).*work)(); });
  }

  void start() {
    if (asked_) return;
    asked_ = true;
    auto reader = context_.server.open_snapshot();
    if (!reader) return finish(std::move(reader).error());
    reader_ = *std::move(reader);
    remaining_ = reader_->size_bytes();
    if (context_.level() >= server::CompatLevel::k36) {
      version_ = context_.server.status().storage_version;
    }
    pump();
  }

  // One burst: other work of the executor may come between two.
  void pump() {
    if (!reader_ || done_) return;
    while (port_->queued_bytes() < kSnapshotHighWater) {
      if (port_->cancelled()) return close();
      auto piece = reader_->read(kPieceBytes);
      if (!piece) return finish(std::move(piece).error());
      if (piece->empty()) return end();
      hash_.add(*piece);
      remaining_ -= std::min<std::uint64_t>(remaining_, piece->size());
      send(*piece);
    }
  }

  void send(ByteView blob) {
    port_->send(wire::encode([&](auto& out) {
      out.number(2, remaining_);
      out.bytes(3, blob);
      out.bytes(4, version_);
    }));
  }

  void end() {
    remaining_ = 0;
    send(hash_.finish());
    finish({Code::kOk, ""});
  }
  void finish(Error status) {
    port_->finish(std::move(status));
    close();
  }
  void close() {
    done_ = true;
    reader_.reset();
  }

  Context& context_;
  std::shared_ptr<StreamPort> port_;
  std::unique_ptr<server::SnapshotReader> reader_;
  Sha256 hash_;
  std::uint64_t remaining_ = 0;
  std::string version_;
  bool asked_ = false;
  bool done_ = false;
};

}  // namespace

std::shared_ptr<net::StreamHandler> open_snapshot_stream(Context& context,
                                                         std::shared_ptr<StreamPort> port) {
  return std::make_shared<SnapshotStream>(context, std::move(port));
}

}  // namespace truss::api
