#include "client.h"

#include <future>

#include "truss/common/coding.h"

namespace truss::kill9 {
namespace {

struct Message {
  std::string bytes;
  PbWriter out{bytes};
  SharedBytes shared() const { return SharedBytes::copy(bytes); }
};

std::string put_bytes(ByteView key, ByteView value) {
  Message m;
  m.out.field_bytes(1, key);
  m.out.field_bytes(2, value);
  return m.bytes;
}

std::string put_op(ByteView key, ByteView value) {
  Message m;
  m.out.put_bytes(2, put_bytes(key, value));
  return m.bytes;
}

Unexpected malformed(const char* what) { return fail(Code::kCorruption, what); }

Result<> read_pair(ByteView bytes, Pairs& pairs) {
  std::string key;
  Stored stored;
  PbReader in(bytes);
  while (in.next()) {
    if (in.field() == 1) key = in.bytes();
    if (in.field() == 3) stored.mod_revision = static_cast<std::int64_t>(in.varint());
    if (in.field() == 5) stored.value = in.bytes();
  }
  if (!in.ok()) return malformed("bad KeyValue");
  pairs.emplace(std::move(key), std::move(stored));
  return {};
}

}  // namespace

SharedBytes put_request(ByteView key, ByteView value) {
  return SharedBytes::copy(put_bytes(key, value));
}

SharedBytes delete_request(ByteView key) {
  Message m;
  m.out.field_bytes(1, key);
  return m.shared();
}

SharedBytes two_puts_request(ByteView first, ByteView second, ByteView value) {
  Message m;
  m.out.put_bytes(2, put_op(first, value));
  m.out.put_bytes(2, put_op(second, value));
  return m.shared();
}

Result<std::int64_t> header_revision(ByteView response) {
  PbReader in(response);
  while (in.next()) {
    if (in.field() != 1) continue;
    PbReader header(in.bytes());
    while (header.next()) {
      if (header.field() == 3) return static_cast<std::int64_t>(header.varint());
    }
  }
  return malformed("no revision in the header");
}

Result<SharedBytes> Client::call(std::string_view path, SharedBytes request) {
  std::promise<Result<SharedBytes>> promise;
  auto answer = promise.get_future();
  net::CallOptions options;
  options.timeout = patience_;
  channel_.unary(
      path, std::move(request),
      [&promise](Result<SharedBytes> result) { promise.set_value(std::move(result)); }, options);
  return answer.get();
}

Result<Client::Image> Client::read_all() {
  Message m;
  m.out.put_bytes(1, ByteView("\0", 1));
  m.out.put_bytes(2, ByteView("\0", 1));
  TRUSS_ASSIGN(const SharedBytes response, call("/etcdserverpb.KV/Range", m.shared()));
  Image image;
  TRUSS_ASSIGN(image.revision, header_revision(response.view()));
  PbReader in(response.view());
  while (in.next()) {
    if (in.field() == 2) TRUSS_TRY(read_pair(in.bytes(), image.pairs));
  }
  if (!in.ok()) return malformed("bad RangeResponse");
  return image;
}

Result<std::uint32_t> Client::hash(std::int64_t revision) {
  Message m;
  m.out.field_varint(1, static_cast<std::uint64_t>(revision));
  TRUSS_ASSIGN(const SharedBytes response, call("/etcdserverpb.Maintenance/HashKV", m.shared()));
  std::uint32_t hash = 0;
  PbReader in(response.view());
  while (in.next()) {
    if (in.field() == 2) hash = static_cast<std::uint32_t>(in.varint());
  }
  if (!in.ok()) return malformed("bad HashKVResponse");
  return hash;
}

void Client::compact(std::int64_t revision) {
  if (revision <= 0) return;
  Message m;
  m.out.field_varint(1, static_cast<std::uint64_t>(revision));
  channel_.unary("/etcdserverpb.KV/Compact", m.shared(), [](Result<SharedBytes>) {});
}

void Client::defragment() {
  channel_.unary("/etcdserverpb.Maintenance/Defragment", {}, [](Result<SharedBytes>) {});
}

}  // namespace truss::kill9
