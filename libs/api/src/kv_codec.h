#pragma once

#include <cstdint>

#include "truss/common/bytes.h"
#include "truss/common/error.h"
#include "truss/mvcc/requests.h"
#include "truss/mvcc/watch.h"

/// The KV messages between their encoding and the store's values, without Protobuf. Views of a
/// decoded request point into the bytes.
namespace truss::api {

/// ResponseHeader. A zero field is left out.
struct Header {
  std::uint64_t cluster_id = 0;
  std::uint64_t member_id = 0;
  std::int64_t revision = 0;
  std::uint64_t raft_term = 0;
};

/// The header as field 1 of a response, for wire::encode.
template <class Out>
void put_header(Out& out, const Header& h) {
  out.message(1, [&](auto& o) {
    o.number(1, h.cluster_id);
    o.number(2, h.member_id);
    o.number(3, h.revision);
    o.number(4, h.raft_term);
  });
}

/// Each takes the canonical encoding of its message. Errors: kInternal if it is malformed.
Result<mvcc::RangeRequest> decode_range(ByteView bytes);
Result<mvcc::PutRequest> decode_put(ByteView bytes);
Result<mvcc::DeleteRangeRequest> decode_delete_range(ByteView bytes);
Result<mvcc::TxnRequest> decode_txn(ByteView bytes);

/// Each sets `header.revision` from the result. Operations inside a transaction carry a header with
/// the revision alone; a nested transaction an empty one.
SharedBytes encode_range(Header header, const mvcc::RangeResult& result);
SharedBytes encode_put(Header header, const mvcc::PutResult& result);
SharedBytes encode_delete_range(Header header, const mvcc::DeleteRangeResult& result);
SharedBytes encode_txn(Header header, const mvcc::TxnResult& result);

/// One WatchResponse with the events [first, last) of `response`.
SharedBytes encode_watch(Header header, const mvcc::WatchResponse& response, std::size_t first,
                         std::size_t last, bool fragment);
/// The same in two steps, for a response of several watches: its events, then each watch's message.
SharedBytes encode_events(const mvcc::EventList& events);
SharedBytes encode_watch(Header header, const mvcc::WatchResponse& response, std::int64_t watch_id,
                         ByteView events);
/// Bytes that encode_watch of all events would give.
std::size_t watch_size(Header header, const mvcc::WatchResponse& response);
/// Bytes that one event adds to a WatchResponse.
std::size_t event_size(const mvcc::Event& event);

/// A message with nothing but field 1, the header.
SharedBytes encode_header_only(Header header);

}  // namespace truss::api
