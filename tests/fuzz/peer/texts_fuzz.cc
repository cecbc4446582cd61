// Arbitrary bytes as everything else that peers send: bodies, header values, the snapshot envelope.
// What is accepted must survive being written and read again.
#include <cstdint>
#include <optional>
#include <string>

#include "truss/common/check.h"
#include "truss/peer/bodies.h"
#include "truss/peer/probe.h"
#include "truss/peer/request_header.h"
#include "truss/peer/snapshot_envelope.h"
#include "truss/peer/text.h"

using namespace truss;        // NOLINT: one file
using namespace truss::peer;  // NOLINT

namespace {

void check_texts(ByteView bytes) {
  if (const auto id = parse_id(bytes)) TRUSS_CHECK(parse_id(id_text(*id)) == id);
  if (const auto id = parse_decimal(bytes)) {
    TRUSS_CHECK(parse_decimal(std::to_string(*id)) == id);
  }
  if (const auto urls = parse_peer_urls(bytes)) {
    std::string joined;
    for (const std::string& url : *urls) joined += (joined.empty() ? "" : ",") + url;
    TRUSS_CHECK(parse_peer_urls(joined).value() == *urls);
  }
  (void)parse_semver(bytes);
}

void check_bodies(ByteView bytes) {
  (void)parse_members(bytes);
  if (const auto v = parse_versions(bytes)) (void)versions_json(*v);
  if (const auto n = parse_hash_kv_request(bytes)) {
    TRUSS_CHECK(parse_hash_kv_request(hash_kv_request_json(*n)).value() == *n);
  }
  if (const auto h = parse_hash_kv(bytes)) {
    const std::string text = hash_kv_json(*h, true);
    TRUSS_CHECK(hash_kv_json(parse_hash_kv(text).value(), true) == text);
  }
  if (const auto id = parse_renew_request(bytes)) {
    TRUSS_CHECK(parse_renew_request(renew_request(*id)).value() == *id);
  }
  if (const auto asked = parse_time_to_live_request(bytes)) {
    TRUSS_CHECK(parse_time_to_live_request(time_to_live_request(*asked)).value() == *asked);
  }
  if (const auto answer = parse_time_to_live_response(bytes)) {
    const std::string text = time_to_live_response(*answer);
    TRUSS_CHECK(time_to_live_response(parse_time_to_live_response(text).value()) == text);
  }
  if (const auto probe = parse_probe_json(bytes)) {
    TRUSS_CHECK(parse_probe_json(probe_json(probe->now)).value().now == probe->now);
  }
}

struct Envelope {
  bool ok = true;
  std::optional<raft::Message> message;
  std::string database;
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

Envelope read_envelope(ByteView bytes, std::size_t cut) {
  SnapshotEnvelopeReader reader(1u << 16);
  Envelope out;
  while (out.ok && !bytes.empty()) {
    ByteView piece = bytes.substr(0, cut);
    bytes.remove_prefix(piece.size());
    if (!out.message) {
      auto read = reader.receive(piece);
      out.ok = read.has_value();
      if (read) out.message = std::move(*read);
    }
    if (out.message) out.database += piece;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  check_texts(bytes);
  check_bodies(bytes);
  const Envelope whole = read_envelope(bytes, size + 1);
  TRUSS_CHECK(whole == read_envelope(bytes, 1));
  const Identity who{raft::NodeId(1), ClusterId(2), "3.4.23", raft::MessageForm::k34, {}};
  (void)check_remote_version(bytes, who);
  net::HttpRequest request;
  request.headers = {{"x-server-version", std::string(bytes)}, {"x-min-cluster-version", "3.0.0"}};
  TRUSS_CHECK(check_gate(request, who) != Gate::kPass);
  return 0;
}
