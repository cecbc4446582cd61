#include "kv_codec.h"

#include "truss/common/coding.h"
#include "wire_write.h"

namespace truss::api {
namespace {

std::int64_t signed_of(std::uint64_t v) { return static_cast<std::int64_t>(v); }

template <class T>
Result<T> finish(const PbReader& in, T value) {
  if (!in.ok()) return fail(Code::kInternal, "malformed request");
  return value;
}

Result<mvcc::Compare> decode_compare(ByteView bytes) {
  mvcc::Compare out;
  // Numbers of the union's members, as CompareTarget counts them.
  std::optional<mvcc::CompareTarget> given;
  std::int64_t number = 0;
  ByteView value;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.result = static_cast<mvcc::CompareResult>(in.varint());
        break;
      case 2:
        out.target = static_cast<mvcc::CompareTarget>(in.varint());
        break;
      case 3:
        out.key = in.bytes();
        break;
      case 4:
        given = mvcc::CompareTarget::kVersion, number = signed_of(in.varint());
        break;
      case 5:
        given = mvcc::CompareTarget::kCreate, number = signed_of(in.varint());
        break;
      case 6:
        given = mvcc::CompareTarget::kMod, number = signed_of(in.varint());
        break;
      case 7:
        given = mvcc::CompareTarget::kValue, value = in.bytes();
        break;
      case 8:
        given = mvcc::CompareTarget::kLease, number = signed_of(in.varint());
        break;
      case 64:
        out.range_end = in.bytes();
        break;
      default:
        break;
    }
  }
  if (given == out.target) {
    out.number = number;
    out.value = value;
  }
  return finish(in, out);
}

Result<mvcc::RequestOp> decode_op(ByteView bytes) {
  mvcc::RequestOp out;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1: {
        TRUSS_ASSIGN(out.op, decode_range(in.bytes()));
        break;
      }
      case 2: {
        TRUSS_ASSIGN(out.op, decode_put(in.bytes()));
        break;
      }
      case 3: {
        TRUSS_ASSIGN(out.op, decode_delete_range(in.bytes()));
        break;
      }
      case 4: {
        TRUSS_ASSIGN(out.op, decode_txn(in.bytes()));
        break;
      }
      default:
        break;
    }
  }
  return finish(in, std::move(out));
}

// ---- out: descriptions for the two sinks ----

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
void put_watch(Out& out, const Header& header, const mvcc::WatchResponse& r, std::size_t first,
               std::size_t last, bool fragment) {
  put_header(out, header);
  out.number(2, r.watch_id);
  out.flag(3, r.created);
  out.flag(4, r.canceled);
  out.number(5, r.compact_revision);
  out.bytes(6, r.cancel_reason);
  out.flag(7, fragment);
  for (std::size_t i = first; i < last; ++i) put_event(out, r.events[i]);
}

}  // namespace

Result<mvcc::RangeRequest> decode_range(ByteView bytes) {
  mvcc::RangeRequest out;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.key = in.bytes();
        break;
      case 2:
        out.range_end = in.bytes();
        break;
      case 3:
        out.limit = signed_of(in.varint());
        break;
      case 4:
        out.revision = signed_of(in.varint());
        break;
      case 5:
        out.sort_order = static_cast<mvcc::SortOrder>(in.varint());
        break;
      case 6:
        out.sort_target = static_cast<mvcc::SortTarget>(in.varint());
        break;
      case 7:
        out.serializable = in.varint() != 0;
        break;
      case 8:
        out.keys_only = in.varint() != 0;
        break;
      case 9:
        out.count_only = in.varint() != 0;
        break;
      case 10:
        out.min_mod_revision = signed_of(in.varint());
        break;
      case 11:
        out.max_mod_revision = signed_of(in.varint());
        break;
      case 12:
        out.min_create_revision = signed_of(in.varint());
        break;
      case 13:
        out.max_create_revision = signed_of(in.varint());
        break;
      default:
        break;
    }
  }
  return finish(in, out);
}

Result<mvcc::PutRequest> decode_put(ByteView bytes) {
  mvcc::PutRequest out;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.key = in.bytes();
        break;
      case 2:
        out.value = in.bytes();
        break;
      case 3:
        out.lease = mvcc::LeaseId{signed_of(in.varint())};
        break;
      case 4:
        out.prev_kv = in.varint() != 0;
        break;
      case 5:
        out.ignore_value = in.varint() != 0;
        break;
      case 6:
        out.ignore_lease = in.varint() != 0;
        break;
      default:
        break;
    }
  }
  return finish(in, out);
}

Result<mvcc::DeleteRangeRequest> decode_delete_range(ByteView bytes) {
  mvcc::DeleteRangeRequest out;
  PbReader in(bytes);
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out.key = in.bytes();
        break;
      case 2:
        out.range_end = in.bytes();
        break;
      case 3:
        out.prev_kv = in.varint() != 0;
        break;
      default:
        break;
    }
  }
  return finish(in, out);
}

Result<mvcc::TxnRequest> decode_txn(ByteView bytes) {
  mvcc::TxnRequest out;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) {
      TRUSS_ASSIGN(auto compare, decode_compare(in.bytes()));
      out.compare.push_back(compare);
    } else if (in.field() == 2 || in.field() == 3) {
      TRUSS_ASSIGN(auto op, decode_op(in.bytes()));
      (in.field() == 2 ? out.success : out.failure).push_back(std::move(op));
    }
  }
  return finish(in, std::move(out));
}

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
