#include "truss/peer/request_header.h"

#include <doctest/doctest.h>

using namespace truss;
using namespace truss::peer;

namespace {

Identity self() {
  return {.self = raft::NodeId(0xab),
          .cluster = ClusterId(0x0c0ffee),
          .server_version = "3.5.9",
          .form = raft::MessageForm::k34,
          .peer_urls = {"http://a:1", "http://b:1"}};
}

net::HttpRequest request(net::Metadata headers) {
  net::HttpRequest out;
  out.headers = std::move(headers);
  return out;
}

}  // namespace

TEST_CASE("requests say who sends them, and streams to whom") {
  const net::Metadata stream = raft_headers(self(), raft::NodeId(0x17));
  const net::Metadata wanted = {{"X-Server-From", "ab"},
                                {"X-Server-Version", "3.5.9"},
                                {"X-Min-Cluster-Version", "3.0.0"},
                                {"X-Etcd-Cluster-Id", "c0ffee"},
                                {"X-Raft-To", "17"},
                                {"X-Peerurls", "http://a:1,http://b:1"}};
  CHECK(stream == wanted);
  CHECK(raft_headers(self(), std::nullopt).size() == 5);
}

TEST_CASE("the gate") {
  const auto gate = [](std::string version, std::string minimum, std::string cluster) {
    net::Metadata headers;
    if (!version.empty()) headers.emplace_back("x-server-version", version);
    if (!minimum.empty()) headers.emplace_back("x-min-cluster-version", minimum);
    if (!cluster.empty()) headers.emplace_back("x-etcd-cluster-id", cluster);
    return check_gate(request(headers), self());
  };
  CHECK(gate("3.5.0", "3.0.0", "c0ffee") == Gate::kPass);
  CHECK(gate("3.0.0", "3.0.0", "c0ffee") == Gate::kPass);
  CHECK(gate("3.9.0", "3.5.7", "c0ffee") == Gate::kPass);
  CHECK(gate("2.3.8", "2.1.0", "c0ffee") == Gate::kIncompatibleVersion);
  CHECK(gate("", "", "c0ffee") == Gate::kIncompatibleVersion);
  CHECK(gate("3.9.0", "3.6.0", "c0ffee") == Gate::kIncompatibleVersion);
  CHECK(gate("3.4.0", "", "c0ffee") == Gate::kPass);
  CHECK(gate("three", "3.0.0", "c0ffee") == Gate::kIncompatibleVersion);
  CHECK(gate("3.4.0", "3.0", "c0ffee") == Gate::kIncompatibleVersion);
  // version before cluster, and the cluster as text
  CHECK(gate("2.0.0", "3.0.0", "1") == Gate::kIncompatibleVersion);
  CHECK(gate("3.4.0", "3.0.0", "1") == Gate::kClusterMismatch);
  CHECK(gate("3.4.0", "3.0.0", "") == Gate::kClusterMismatch);
  CHECK(gate("3.4.0", "3.0.0", "0c0ffee") == Gate::kClusterMismatch);
  CHECK(gate("3.4.0", "3.0.0", "C0FFEE") == Gate::kClusterMismatch);
}

TEST_CASE("streams come from 2.1 and everything later") {
  CHECK(check_remote_version("3.4.23", self()) == RemoteVersion::kFine);
  CHECK(check_remote_version("3.8.0", self()) == RemoteVersion::kFine);
  CHECK(check_remote_version("2.1.0", self()) == RemoteVersion::kFine);
  CHECK(check_remote_version("2.0.9", self()) == RemoteVersion::kNoStreams);
  CHECK(check_remote_version("", self()) == RemoteVersion::kNoStreams);
  CHECK(check_remote_version("nonsense", self()) == RemoteVersion::kNoStreams);
}
