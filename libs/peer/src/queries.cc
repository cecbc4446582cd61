#include "truss/peer/queries.h"

#include <netdb.h>
#include <sys/socket.h>

#include <memory>
#include <mutex>
#include <utility>

#include "truss/net/http_client.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

Code code_of(int status) {
  switch (status) {
    case 400:
      return Code::kInvalidArgument;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 408:
      return Code::kDeadlineExceeded;
    case 410:
      return Code::kOutOfRange;
    case 412:
      return Code::kFailedPrecondition;
    default:
      return Code::kInternal;
  }
}

/// 200 or an error.
Result<net::HttpResponse> judge(Result<net::HttpResponse> answer) {
  if (!answer) {
    if (answer.error().code != Code::kCanceled) answer.error().code = Code::kUnavailable;
    return answer;
  }
  if (answer->status == 200) return answer;
  std::string text = std::move(answer->body);
  if (text.ends_with('\n')) text.pop_back();
  return fail(code_of(answer->status), std::move(text));
}

Unexpected unreadable(const Error& why) { return fail(Code::kUnknown, why.message); }

template <class T>
Result<T> readable(Result<T> parsed) {
  if (!parsed) return unreadable(parsed.error());
  return parsed;
}

Result<Queries::Members> read_members(const net::HttpResponse& response) {
  const auto cluster = parse_id(response.header("x-etcd-cluster-id"));
  if (!cluster) return fail(Code::kUnknown, "members: no X-Etcd-Cluster-ID");
  TRUSS_ASSIGN(auto members, readable(parse_members(response.body)));
  return Queries::Members{ClusterId(*cluster), std::move(members)};
}

Result<bool> read_flag(const net::HttpResponse& response) {
  if (response.body == "true") return true;
  if (response.body == "false") return false;
  return fail(Code::kUnknown, "downgrade: neither true nor false");
}

net::HttpCall get(std::string url) {
  net::HttpCall call;
  call.url = std::move(url);
  return call;
}

net::HttpCall post(std::string url, std::string body) {
  net::HttpCall call = get(std::move(url));
  call.method = "POST";
  call.headers = {{"Content-Type", "application/protobuf"}};
  call.body = std::move(body);
  return call;
}

/// `http://`, `host`, `:2380/…` of a URL.
struct UrlParts {
  std::string scheme;
  std::string host;
  std::string rest;
};

Result<UrlParts> split(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return fail(Code::kInvalidArgument, "no URL: " + url);
  const std::size_t start = scheme + 3;
  std::size_t end = url.find_first_of(":/?#", start);
  if (url.compare(start, 1, "[") == 0) {
    end = url.find(']', start);
    if (end != std::string::npos) ++end;
  }
  if (end == std::string::npos) end = url.size();
  if (end == start) return fail(Code::kInvalidArgument, "no host in URL: " + url);
  return UrlParts{url.substr(0, start), url.substr(start, end - start), url.substr(end)};
}

Result<std::string> address_text(const addrinfo& address) {
  char text[NI_MAXHOST];
  const int error = ::getnameinfo(address.ai_addr, address.ai_addrlen, text, sizeof text, nullptr,
                                  0, NI_NUMERICHOST);
  if (error != 0) return fail(Code::kUnavailable, ::gai_strerror(error));
  return address.ai_family == AF_INET6 ? "[" + std::string(text) + "]" : std::string(text);
}

/// Thread: one that may block.
Result<std::string> resolve_url(const std::string& url) {
  TRUSS_ASSIGN(const UrlParts parts, split(url));
  if (parts.host.starts_with('[')) return url;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(parts.host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return fail(Code::kUnavailable, "lookup " + parts.host + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
  const addrinfo* best = found;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    if (a->ai_family == AF_INET) {
      best = a;
      break;
    }
  }
  TRUSS_ASSIGN(const std::string host, address_text(*best));
  return parts.scheme + host + parts.rest;
}

}  // namespace

struct Queries::Impl {
  Impl(net::IoThread& loop, Runtime& runtime)
      : thread(loop),
        clock(runtime.clock()),
        names(runtime.make_executor("peer-names")),
        client(std::make_unique<net::HttpClient>(loop, clock)) {}

  /// `read` makes a Result<T> of a 200.
  template <class T, class Read>
  void ask(net::HttpCall call, Duration timeout, Callback<T> done, Read read) {
    call.times.connect = timeout;
    call.times.whole = timeout;
    std::unique_lock lock(mutex);
    if (!client) {
      lock.unlock();
      return done(fail(Code::kCanceled, "stopped"));
    }
    client->fetch(std::move(call),
                  [done = std::move(done), read](Result<net::HttpResponse> answer) mutable {
                    done(judge(std::move(answer)).and_then(read));
                  });
  }

  net::IoThread& thread;
  Clock& clock;
  std::unique_ptr<Executor> names;
  std::mutex mutex;  ///< guards client
  std::unique_ptr<net::HttpClient> client;
};

Queries::Queries(net::IoThread& thread, Runtime& runtime)
    : impl_(std::make_shared<Impl>(thread, runtime)) {}

Queries::~Queries() { stop(); }

void Queries::stop() {
  std::unique_ptr<net::HttpClient> client;
  {
    const std::lock_guard lock(impl_->mutex);
    client = std::move(impl_->client);
  }
  client.reset();
  impl_->names->stop();
}

void Queries::members(const std::string& url, Duration timeout, Callback<Members> done) {
  impl_->ask<Members>(get(url + "/members"), timeout, std::move(done), read_members);
}

void Queries::version(const std::string& url, Duration timeout, Callback<Versions> done) {
  impl_->ask<Versions>(get(url + "/version"), timeout, std::move(done),
                       [](const net::HttpResponse& r) { return readable(parse_versions(r.body)); });
}

void Queries::downgrade_enabled(const std::string& url, Duration timeout, Callback<bool> done) {
  impl_->ask<bool>(get(url + "/downgrade/enabled"), timeout, std::move(done), read_flag);
}

void Queries::renew_lease(const std::string& url, std::int64_t id, Duration timeout,
                          Callback<std::int64_t> done) {
  net::HttpCall call = post(url + "/leases", renew_request(id));
  call.repeatable = true;
  impl_->ask<std::int64_t>(
      std::move(call), timeout, std::move(done),
      [id](const net::HttpResponse& r) { return readable(parse_renew_response(r.body, id)); });
}

void Queries::lease_time_to_live(const std::string& url, std::int64_t id, bool keys,
                                 Duration timeout, Callback<LeaseTimeToLive> done) {
  net::HttpCall call = post(url + "/leases/internal", time_to_live_request({id, keys}));
  call.repeatable = true;
  impl_->ask<LeaseTimeToLive>(
      std::move(call), timeout, std::move(done),
      [](const net::HttpResponse& r) { return readable(parse_time_to_live_response(r.body)); });
}

void Queries::promote(const std::string& url, raft::NodeId id, Duration timeout,
                      Callback<std::vector<MemberInfo>> done) {
  net::HttpCall call = post(url + "/members/promote/" + std::to_string(id.value()), {});
  impl_->ask<std::vector<MemberInfo>>(
      std::move(call), timeout, std::move(done),
      [](const net::HttpResponse& r) { return readable(parse_members(r.body)); });
}

void Queries::hash_kv(const std::string& url, ClusterId cluster, std::int64_t revision,
                      Duration timeout, Callback<HashKv> done) {
  net::HttpCall call = get(url + "/members/hashkv");
  call.headers = {{"Content-Type", "application/json"},
                  {"X-Etcd-Cluster-Id", id_text(cluster.value())}};
  call.body = hash_kv_request_json(revision);
  impl_->ask<HashKv>(std::move(call), timeout, std::move(done),
                     [](const net::HttpResponse& r) { return readable(parse_hash_kv(r.body)); });
}

namespace {

/// One answer of two that race: the look-up and the time-out.
struct Race {
  std::mutex mutex;
  Queries::Callback<std::string> done;

  void answer(Result<std::string> how) {
    Queries::Callback<std::string> first;
    {
      const std::lock_guard lock(mutex);
      first = std::exchange(done, nullptr);
    }
    if (first) first(std::move(how));
  }
  /// Nobody ran: the executor was stopped.
  ~Race() { answer(fail(Code::kCanceled, "stopped")); }
};

}  // namespace

void Queries::resolve(const std::string& url, Duration timeout, Callback<std::string> done) {
  auto race = std::make_shared<Race>();
  race->done = std::move(done);
  const TimerId timer =
      impl_->thread.post_at(impl_->clock.now() + timeout, [race = std::weak_ptr(race), url] {
        const auto open = race.lock();
        if (open) open->answer(fail(Code::kUnavailable, "lookup of " + url + ": timed out"));
      });
  impl_->names->post([race = std::move(race), url, timer, &thread = impl_->thread] {
    race->answer(resolve_url(url));
    thread.cancel(timer);
  });
}

}  // namespace truss::peer
