#include "kv_codec.h"

#include "truss/mvcc/request_codec.h"
#include "wire_write.h"

namespace truss::api {
namespace {

template <class Request>
Result<Request> decode(ByteView bytes) {
  if (auto request = mvcc::decode<Request>(bytes)) return *std::move(request);
  return fail(Code::kInternal, "malformed request");
}

template <class Out>
void put_body(Out& out, const Header& header, const mvcc::RangeResult& r) {
  put_header(out, header);
  for (const mvcc::KeyValue& kv : r.kvs) out.element(2, kv.record);
  out.flag(3, r.more);
  out.number(4, r.count);
}

template <class Out>
void put_body(Out& out, const Header& header, const mvcc::PutResult& r) {
  put_header(out, header);
  if (r.prev_kv) out.element(2, r.prev_kv->record);
}

template <class Out>
void put_body(Out& out, const Header& header, const mvcc::DeleteRangeResult& r) {
  put_header(out, header);
  out.number(2, r.deleted);
  for (const mvcc::KeyValue& kv : r.prev_kvs) out.element(3, kv.record);
}

template <class Out>
void put_body(Out& out, const Header& header, const mvcc::TxnResult& r);

template <class Out>
void put_op(Out& out, const mvcc::ResponseOp& op) {
  const auto number = static_cast<std::uint32_t>(op.op.index() + 1);
  std::visit(
      [&](const auto& result) {
        const Header header{.revision = result.revision};
        out.message(number, [&](auto& o) { put_body(o, header, result); });
      },
      op.op);
}

template <class Out>
void put_body(Out& out, const Header& header, const mvcc::TxnResult& r) {
  put_header(out, header);
  out.flag(2, r.succeeded);
  for (const mvcc::ResponseOp& op : r.responses) {
    out.message(3, [&](auto& o) { put_op(o, op); });
  }
}

template <class R>
SharedBytes encode_result(Header header, const R& result) {
  header.revision = result.revision;
  return wire::encode([&](auto& out) { put_body(out, header, result); });
}

template <class Out>
void put_event(Out& out, const mvcc::Event& e) {
  out.message(11, [&](auto& o) {
    o.number(1, static_cast<std::uint64_t>(e.type));
    o.element(2, e.kv.record);
    if (e.prev_kv) o.element(3, e.prev_kv->record);
  });
}

template <class Out>
void put_watch_head(Out& out, const Header& header, const mvcc::WatchResponse& r,
                    std::int64_t watch_id, bool fragment) {
  put_header(out, header);
  out.number(2, watch_id);
  out.flag(3, r.created);
  out.flag(4, r.canceled);
  out.number(5, r.compact_revision);
  out.bytes(6, r.cancel_reason);
  out.flag(7, fragment);
}

template <class Out>
void put_watch(Out& out, const Header& header, const mvcc::WatchResponse& r, std::size_t first,
               std::size_t last, bool fragment) {
  put_watch_head(out, header, r, r.watch_id, fragment);
  for (std::size_t i = first; i < last; ++i) put_event(out, r.events[i]);
}

}  // namespace

Result<mvcc::RangeRequest> decode_range(ByteView bytes) {
  return decode<mvcc::RangeRequest>(bytes);
}
Result<mvcc::PutRequest> decode_put(ByteView bytes) { return decode<mvcc::PutRequest>(bytes); }
Result<mvcc::DeleteRangeRequest> decode_delete_range(ByteView bytes) {
  return decode<mvcc::DeleteRangeRequest>(bytes);
}
Result<mvcc::TxnRequest> decode_txn(ByteView bytes) { return decode<mvcc::TxnRequest>(bytes); }

SharedBytes encode_range(Header header, const mvcc::RangeResult& result) {
  return encode_result(header, result);
}
SharedBytes encode_put(Header header, const mvcc::PutResult& result) {
  return encode_result(header, result);
}
SharedBytes encode_delete_range(Header header, const mvcc::DeleteRangeResult& result) {
  return encode_result(header, result);
}
SharedBytes encode_txn(Header header, const mvcc::TxnResult& result) {
  return encode_result(header, result);
}

SharedBytes encode_watch(Header header, const mvcc::WatchResponse& response, std::size_t first,
                         std::size_t last, bool fragment) {
  header.revision = response.revision;
  return wire::encode([&](auto& out) { put_watch(out, header, response, first, last, fragment); });
}

SharedBytes encode_events(const mvcc::EventList& events) {
  return wire::encode([&](auto& out) {
    for (const mvcc::Event& event : events) put_event(out, event);
  });
}

SharedBytes encode_watch(Header header, const mvcc::WatchResponse& response, std::int64_t watch_id,
                         ByteView events) {
  header.revision = response.revision;
  return wire::encode([&](auto& out) {
    put_watch_head(out, header, response, watch_id, false);
    out.raw(events);
  });
}

std::size_t watch_size(Header header, const mvcc::WatchResponse& response) {
  header.revision = response.revision;
  wire::SizeSink size;
  put_watch(size, header, response, 0, response.events.size(), false);
  return size.size();
}

std::size_t event_size(const mvcc::Event& event) {
  wire::SizeSink size;
  put_event(size, event);
  return size.size();
}

SharedBytes encode_header_only(Header header) {
  return wire::encode([&](auto& out) { put_header(out, header); });
}

}  // namespace truss::api
