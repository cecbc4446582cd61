#include "lease_service.h"

#include <deque>
#include <mutex>

#include "token_check.h"
#include "truss/common/coding.h"
#include "truss/lease/lessor.h"
#include "truss/mvcc/errors.h"
#include "truss/mvcc/store.h"
#include "wire_write.h"

namespace truss::api {
namespace {

// The numbers of a request that has only number fields 1 and 2.
struct TwoNumbers {
  std::int64_t first = 0;
  std::int64_t second = 0;
};

TwoNumbers read_numbers(ByteView request) {
  TwoNumbers out;
  PbReader in(request);
  while (in.next()) {
    if (in.field() == 1) out.first = static_cast<std::int64_t>(in.varint());
    if (in.field() == 2) out.second = static_cast<std::int64_t>(in.varint());
  }
  return out;
}

SharedBytes encode_id_ttl(const Header& header, std::int64_t id, std::int64_t ttl) {
  return wire::encode([&](auto& out) {
    put_header(out, header);
    out.number(2, id);
    out.number(3, ttl);
  });
}

// One LeaseKeepAlive stream: renews one lease after the other, in the order asked for.
class KeepAlive final : public net::StreamHandler, public std::enable_shared_from_this<KeepAlive> {
 public:
  KeepAlive(Context& context, std::shared_ptr<StreamPort> port)
      : context_(context), port_(std::move(port)) {}

  void on_message(SharedBytes message) override {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(read_numbers(message.view()).first);
      if (waiting_.size() > kMaxWaiting) port_->pause_receiving(true);
      if (std::exchange(busy_, true)) return;
    }
    renew_next();
  }

  void on_half_close() override {
    {
      const std::lock_guard lock(mutex_);
      half_closed_ = true;
      if (busy_) return;
    }
    port_->finish({Code::kOk, ""});
  }

 private:
  static constexpr std::size_t kMaxWaiting = 64;

  // Invariant: busy_, and one call of this under way.
  void renew_next() {
    std::int64_t id = 0;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty() || port_->cancelled()) return rest();
      id = waiting_.front();
      waiting_.pop_front();
      if (waiting_.empty()) port_->pause_receiving(false);
    }
    // The header is older than the renewal, so that its revision never promises too much.
    const Header header = context_.header(context_.server.store().current_revision());
    context_.server.lease_renew(id,
                                [self = shared_from_this(), header, id](Result<std::int64_t> ttl) {
                                  self->answer(header, id, std::move(ttl));
                                });
  }

  void rest() {
    busy_ = false;
    if (half_closed_) port_->finish({Code::kOk, ""});
  }

  void answer(const Header& header, std::int64_t id, Result<std::int64_t> ttl) {
    if (!ttl && !mvcc::errors::is(ttl.error(), mvcc::errors::lease_not_found())) {
      return port_->finish(std::move(ttl).error());
    }
    port_->send(encode_id_ttl(header, id, ttl.value_or(0)));
    // Posted, not called: the answer may have come inside lease_renew, and the queue may be long.
    context_.reads.post([self = shared_from_this()] { self->renew_next(); });
  }

  Context& context_;
  std::shared_ptr<StreamPort> port_;
  std::mutex mutex_;
  std::deque<std::int64_t> waiting_;
  bool busy_ = false;
  bool half_closed_ = false;
};

}  // namespace

void LeaseService::register_methods(MethodTable& table) {
  table.add_unary("/etcdserverpb.Lease/LeaseGrant",
                  [this](const CallInfo& info, SharedBytes request, Done done) {
                    if (auto fine = check_token(context_, info); !fine) {
                      return done(Unexpected(std::move(fine).error()));
                    }
                    grant(request.view(), std::move(done));
                  });
  table.add_unary("/etcdserverpb.Lease/LeaseRevoke",
                  [this](const CallInfo& info, SharedBytes request, Done done) {
                    if (auto fine = check_token(context_, info); !fine) {
                      return done(Unexpected(std::move(fine).error()));
                    }
                    revoke(request.view(), std::move(done));
                  });
  table.add_unary("/etcdserverpb.Lease/LeaseTimeToLive",
                  [this](const CallInfo&, SharedBytes request, Done done) {
                    time_to_live(request.view(), std::move(done));
                  });
  table.add_unary("/etcdserverpb.Lease/LeaseLeases",
                  [this](const CallInfo&, SharedBytes, Done done) { leases(std::move(done)); });
  table.add_stream("/etcdserverpb.Lease/LeaseKeepAlive",
                   [this](const CallInfo&, std::shared_ptr<StreamPort> port) {
                     return std::make_shared<KeepAlive>(context_, std::move(port));
                   });
}

void LeaseService::grant(ByteView request, Done done) {
  const auto [ttl, id] = read_numbers(request);
  context_.server.lease_grant(
      id, ttl, [this, done = std::move(done)](Result<server::ApplyResponse> applied) mutable {
        if (!applied) return done(Unexpected(std::move(applied).error()));
        const auto& granted = std::get<server::LeaseGrantResult>(applied->result);
        done(encode_id_ttl(context_.header(applied->revision), granted.id, granted.ttl_seconds));
      });
}

void LeaseService::revoke(ByteView request, Done done) {
  context_.server.lease_revoke(
      read_numbers(request).first,
      [this, done = std::move(done)](Result<server::ApplyResponse> applied) mutable {
        if (!applied) return done(Unexpected(std::move(applied).error()));
        done(encode_header_only(context_.header(applied->revision)));
      });
}

void LeaseService::time_to_live(ByteView request, Done done) {
  const auto [id, keys] = read_numbers(request);
  const Header header = context_.header(context_.server.store().current_revision());
  context_.server.lease_time_to_live(
      id, keys != 0,
      [header, id = id, done = std::move(done)](Result<lease::LeaseInfo> info) mutable {
        if (!info && !mvcc::errors::is(info.error(), mvcc::errors::lease_not_found())) {
          return done(Unexpected(std::move(info).error()));
        }
        if (!info) return done(encode_id_ttl(header, id, -1));
        done(wire::encode([&](auto& out) {
          put_header(out, header);
          out.number(2, id);
          out.number(3, info->remaining_ttl);
          out.number(4, info->granted_ttl);
          for (const std::string& key : info->keys) out.element(5, key);
        }));
      });
}

void LeaseService::leases(Done done) {
  const Header header = context_.header(context_.server.store().current_revision());
  const auto ids = context_.server.lessor().leases();
  done(wire::encode([&](auto& out) {
    put_header(out, header);
    for (const auto id : ids) {
      out.message(2, [&](auto& o) { o.number(1, static_cast<std::int64_t>(id)); });
    }
  }));
}

}  // namespace truss::api
