#include "http_endpoints.h"

#include <algorithm>

#include "http_text.h"
#include "json_text.h"
#include "probes.h"
#include "process_stats.h"
#include "truss/mvcc/store.h"
#include "truss/net/http_text.h"

namespace truss::api {
namespace {

using server::AlarmType;
using server::CompatLevel;

std::string_view alarm_name(AlarmType type) {
  switch (type) {
    case AlarmType::kNoSpace:
      return "NOSPACE";
    case AlarmType::kCorrupt:
      return "CORRUPT";
    case AlarmType::kNone:
      break;
  }
  return "UNKNOWN";
}

bool allows(const std::vector<std::string>& list, std::string_view name) {
  if (list.empty()) return true;
  return std::any_of(list.begin(), list.end(),
                     [&](const auto& item) { return item == "*" || item == name; });
}

std::string_view host_name(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) {
    return host;
  }
  host = host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

// Without empty, `.` and `..` parts; a trailing slash stays.
std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  const bool slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const auto next = path.find('/');
    const std::string_view part = path.substr(0, next);
    path.remove_prefix(next == std::string_view::npos ? path.size() : next + 1);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  std::string out;
  for (const auto part : parts) out += "/" + std::string(part);
  return slash || out.empty() ? out + "/" : out;
}

std::string unknown_host_text(std::string_view host) {
  return "\netcd received your request, but the Host header was unrecognized.\n\n"
         "To fix this, choose one of the following options:\n"
         "- Enable TLS, then any HTTPS request will be allowed.\n"
         "- Add the hostname you want to use to the whitelist in settings.\n"
         "  - e.g. etcd --host-whitelist " +
         quoted(host) +
         "\n\n"
         "This requirement has been added to help prevent \"DNS Rebinding\" attacks "
         "(CVE-2018-5702).\n";
}

}  // namespace

bool HttpEndpoints::filter(const net::HttpRequest& request, net::HttpReply& reply,
                           net::Metadata& extra) {
  const std::string_view host = host_name(request.header("host"));
  if (!allows(context_.options.host_whitelist, host)) {
    http_error(reply, 421, unknown_host_text(host));
    return true;
  }
  const auto& cors = context_.options.cors;
  const std::string origin = allows(cors, "*") ? "*" : std::string(request.header("origin"));
  if (origin == "*" || allows(cors, origin)) {
    extra.emplace_back("Access-Control-Allow-Headers", "accept, content-type, authorization");
    extra.emplace_back("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE");
    extra.emplace_back("Access-Control-Allow-Origin", origin);
  }
  if (request.method != "OPTIONS") return false;
  reply.send(200, {}, "");
  return true;
}

void HttpEndpoints::install(net::Server& net) {
  net.set_http_filter([this](const net::HttpRequest& request, net::HttpReply& reply,
                             net::Metadata& extra) { return filter(request, reply, extra); });
  net.add_http({.path = "/version", .handler = [this](net::HttpRequest r, net::HttpReply reply) {
                  if (allow_method(r, reply, "GET")) version(reply);
                }});
  net.add_http({.path = "/debug/vars",
                .handler = [this](net::HttpRequest, net::HttpReply reply) { debug_vars(reply); }});
  net.add_http({.path = "/", .handler = [this](net::HttpRequest r, net::HttpReply reply) {
                  not_found(r, reply);
                }});
  install_metrics(net);
}

void HttpEndpoints::install_metrics(net::Server& net) {
  net.add_http({.path = "/metrics", .handler = [this](net::HttpRequest, net::HttpReply reply) {
                  const bool names_escaping = context_.level() >= CompatLevel::k36;
                  const std::string type = "text/plain; version=0.0.4; charset=utf-8";
                  reply.send(
                      200,
                      {{"Content-Type", type + (names_escaping ? "; escaping=underscores" : "")}},
                      metrics_scrape(context_, dispatcher_, health_));
                  ++health_.scrapes;
                }});
  net.add_http({.path = "/health", .handler = [this](net::HttpRequest r, net::HttpReply reply) {
                  if (allow_method(r, reply, "GET")) health(r, std::move(reply));
                }});
  if (context_.level() == CompatLevel::k34) return;
  for (const char* path : {"/livez", "/livez/", "/readyz", "/readyz/"}) {
    net.add_http({.path = path, .handler = [this](net::HttpRequest r, net::HttpReply reply) {
                    if (allow_method(r, reply, "GET")) run_probe(context_, r, std::move(reply));
                  }});
  }
}

// Go's ServeMux sends `/a//b/../c` to `/a/c`, and `/v3` to its subtree.
void HttpEndpoints::not_found(const net::HttpRequest& request, net::HttpReply& reply) {
  std::string path = clean_path(request.path);
  const bool subtree = context_.options.grpc_gateway && (path == "/v3" || path == "/v3beta");
  if (subtree) path += '/';
  if (path == request.path) return http_error(reply, 404, "404 page not found");
  reply.send(301, {{"Content-Type", "text/html; charset=utf-8"}, {"Location", path}},
             "<a href=\"" + net::html_escaped(path) + "\">Moved Permanently</a>.\n\n");
}

void HttpEndpoints::version(net::HttpReply& reply) {
  const server::Status s = context_.server.status();
  const std::string cluster = s.cluster_version.empty() ? "not_decided" : s.cluster_version;
  std::string body =
      "{\"etcdserver\":" + json_string(s.version) + ",\"etcdcluster\":" + json_string(cluster);
  if (context_.level() >= CompatLevel::k36) {
    const std::string storage = s.storage_version.empty() ? "unknown" : s.storage_version;
    body += ",\"storage\":" + json_string(storage);
  }
  reply.send(200, {{"Content-Type", "application/json"}}, body + "}");
}

void HttpEndpoints::health(const net::HttpRequest& request, net::HttpReply reply) {
  const auto excluded = request.query_values("exclude");
  for (const auto& alarm : context_.server.alarms()) {
    const auto name = alarm_name(alarm.alarm);
    if (std::find(excluded.begin(), excluded.end(), name) != excluded.end()) continue;
    return answer_health(reply, "ALARM " + std::string(name));
  }
  const bool serializable =
      context_.level() > CompatLevel::k34 && request.query_value("serializable") == "true";
  if (serializable) return answer_health(reply, "");
  if (context_.server.status().leader == raft::kNoNode) {
    return answer_health(reply, "RAFT NO LEADER");
  }
  context_.server.linearizable_read_notify([this, reply](Result<> ready) mutable {
    answer_health(reply, ready ? "" : "RANGE ERROR:" + ready.error().message);
  });
}

void HttpEndpoints::answer_health(net::HttpReply& reply, const std::string& reason) {
  ++(reason.empty() ? health_.successes : health_.failures);
  std::string body = std::string("{\"health\":") + (reason.empty() ? "\"true\"" : "\"false\"");
  if (context_.level() > CompatLevel::k34) body += ",\"reason\":" + json_string(reason);
  body += "}";
  if (!reason.empty()) return http_error(reply, 503, body);
  reply.send(200, {{"Content-Type", "text/plain; charset=utf-8"}}, body);
}

void HttpEndpoints::debug_vars(net::HttpReply& reply) {
  const server::Status s = context_.server.status();
  std::string words;
  for (const auto& word : context_.options.command_line) {
    words += (words.empty() ? "" : ",") + json_string(word);
  }
  std::string body = "{\n\"cmdline\": [" + words + "],\n";
  body += "\"file_descriptor_limit\": " + std::to_string(read_process_stats().max_fds) + ",\n";
  body += "\"raft.status\": {\"id\":\"" + server::id_text(context_.server.member_id()) +
          "\",\"term\":" + std::to_string(s.term.value()) +
          ",\"commit\":" + std::to_string(s.committed.value()) + ",\"lead\":\"" +
          server::id_text(s.leader) + "\",\"raftState\":\"" +
          (s.is_leader ? "StateLeader" : "StateFollower") +
          "\",\"applied\":" + std::to_string(s.applied.value()) + "}\n}\n";
  reply.send(200, {{"Content-Type", "application/json; charset=utf-8"}}, body);
}

}  // namespace truss::api
