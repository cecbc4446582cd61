#include "kv_service.h"

#include "token_check.h"
#include "truss/mvcc/store.h"
#include "truss/mvcc/txn.h"

namespace truss::api {
namespace {

// Passes the error of a Result to `done`; true if there was one.
template <class T>
bool failed(Result<T>& result, Done& done) {
  if (result) return false;
  done(Unexpected(std::move(result).error()));
  return true;
}

}  // namespace

SharedBytes encode_applied(const Context& context, const server::ApplyResponse& applied) {
  const Header header = context.header(applied.revision);
  if (const auto* put = std::get_if<mvcc::PutResult>(&applied.result)) {
    return encode_put(header, *put);
  }
  if (const auto* removed = std::get_if<mvcc::DeleteRangeResult>(&applied.result)) {
    return encode_delete_range(header, *removed);
  }
  if (const auto* txn = std::get_if<mvcc::TxnResult>(&applied.result)) {
    return encode_txn(header, *txn);
  }
  return encode_header_only(header);
}

void KvService::register_methods(MethodTable& table) {
  const auto bind = [this](void (KvService::*method)(const CallInfo&, SharedBytes, Done)) {
    return [this, method](const CallInfo& info, SharedBytes request, Done done) {
      (this->*method)(info, std::move(request), std::move(done));
    };
  };
  table.add_unary("/etcdserverpb.KV/Range", bind(&KvService::range));
  table.allow_learner("/etcdserverpb.KV/Range");  // if serializable: checked in range()
  table.add_unary("/etcdserverpb.KV/Put", bind(&KvService::put));
  table.add_unary("/etcdserverpb.KV/DeleteRange", bind(&KvService::delete_range));
  table.add_unary("/etcdserverpb.KV/Txn", bind(&KvService::txn));
  table.add_unary("/etcdserverpb.KV/Compact", bind(&KvService::compact));
}

void KvService::when_readable(bool serializable, Done done, absl::AnyInvocable<void(Done)> read) {
  if (serializable) return read(std::move(done));
  context_.server.linearizable_read_notify(
      [this, done = std::move(done), read = std::move(read)](Result<> ready) mutable {
        if (failed(ready, done)) return;
        context_.reads.post(
            [done = std::move(done), read = std::move(read)]() mutable { read(std::move(done)); });
      });
}

void KvService::range(const CallInfo& info, SharedBytes request, Done done) {
  auto decoded = decode_range(request.view());
  if (failed(decoded, done)) return;
  if (auto fine = mvcc::check_range(*decoded, strict_sort()); failed(fine, done)) return;
  if (auto fine = check_token(context_, info); failed(fine, done)) return;
  const bool serializable = decoded->serializable;
  if (!serializable && context_.is_learner()) return done(Unexpected(learner_refusal(context_)));
  when_readable(serializable, std::move(done),
                [this, request = std::move(request), range = *decoded](Done answer) {
                  read_range(range, answer);
                });
}

void KvService::read_range(const mvcc::RangeRequest& range, Done& done) {
  auto result = context_.server.store().range(range);
  if (failed(result, done)) return;
  done(encode_range(context_.header(), *result));
}

void KvService::propose(server::Op op, SharedBytes body, Done done) {
  context_.server.propose(
      op, body.view(),
      [this, done = std::move(done)](Result<server::ApplyResponse> applied) mutable {
        if (failed(applied, done)) return;
        done(encode_applied(context_, *applied));
      });
}

void KvService::put(const CallInfo& info, SharedBytes request, Done done) {
  auto decoded = decode_put(request.view());
  if (failed(decoded, done)) return;
  if (auto fine = mvcc::check_put(*decoded); failed(fine, done)) return;
  if (auto fine = check_token(context_, info); failed(fine, done)) return;
  propose(server::Op::kPut, std::move(request), std::move(done));
}

void KvService::delete_range(const CallInfo& info, SharedBytes request, Done done) {
  auto decoded = decode_delete_range(request.view());
  if (failed(decoded, done)) return;
  if (auto fine = mvcc::check_delete_range(*decoded); failed(fine, done)) return;
  if (auto fine = check_token(context_, info); failed(fine, done)) return;
  propose(server::Op::kDeleteRange, std::move(request), std::move(done));
}

void KvService::txn(const CallInfo& info, SharedBytes request, Done done) {
  auto decoded = decode_txn(request.view());
  if (failed(decoded, done)) return;
  const auto max_ops = context_.server.config().max_txn_ops;
  if (auto fine = mvcc::check_txn(*decoded, max_ops, strict_sort()); failed(fine, done)) return;
  if (auto fine = check_token(context_, info); failed(fine, done)) return;
  if (!mvcc::is_read_only(*decoded)) {
    // Caution: 3.4 and 3.5 let an unknown sort target into the log and then die of it, on every
    // restart; what we log must be fit for them.
    if (auto fine = mvcc::check_txn(*decoded, max_ops, true); failed(fine, done)) return;
    return propose(server::Op::kTxn, std::move(request), std::move(done));
  }
  const bool serializable = mvcc::is_serializable(*decoded);
  when_readable(serializable, std::move(done),
                [this, request = std::move(request), txn = *std::move(decoded)](Done answer) {
                  auto result = mvcc::read_txn(context_.server.store(), txn);
                  if (failed(result, answer)) return;
                  answer(encode_txn(context_.header(), *result));
                });
}

void KvService::compact(const CallInfo& info, SharedBytes request, Done done) {
  if (auto fine = check_token(context_, info); failed(fine, done)) return;
  propose(server::Op::kCompaction, std::move(request), std::move(done));
}

}  // namespace truss::api
