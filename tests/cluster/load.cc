#include "load.h"

#include <cerrno>

#include "requests.h"

namespace truss::cluster {
namespace {

constexpr int kReader = 1000;  // client number of read_all's first call

/// The call can't have reached a server.
bool never_sent(const Error& error) {
  return error.sys_errno == ECONNREFUSED || error.message.find("refused") != std::string::npos;
}

}  // namespace

Load::Load(Clock& clock, LoadOptions options)
    : clock_(clock), options_(std::move(options)), random_(options_.seed), thread_("load", clock) {
  for (const std::string& endpoint : options_.endpoints) {
    channels_.push_back(std::make_unique<net::Channel>(thread_, clock, endpoint));
  }
  for (int i = 0; i < options_.clients; ++i) {
    clients_.push_back({i, static_cast<std::size_t>(i) % channels_.size()});
  }
}

Load::~Load() {
  stop();
  channels_.clear();
}

void Load::start(std::vector<std::string> keys) {
  const std::lock_guard lock(mutex_);
  open_ += clients_.size();
  thread_.post([this, keys = std::move(keys)]() mutable {
    keys_ = std::move(keys);
    running_ = true;
    last_seen_.clear();
    for (Client& client : clients_) next(client);
  });
}

void Load::stop() {
  thread_.post([this] { running_ = false; });
  std::unique_lock lock(mutex_);
  idle_changed_.wait(lock, [this] { return open_ == 0; });
}

History Load::take() { return std::exchange(history_, {}); }

void Load::read_all(std::size_t endpoint) {
  {
    const std::lock_guard lock(mutex_);
    ++open_;
  }
  thread_.post([this, endpoint] {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      Operation op;
      op.client = kReader + static_cast<int>(i);
      op.key = keys_[i];
      op.via = options_.endpoints[endpoint];
      {
        const std::lock_guard lock(mutex_);
        ++open_;
      }
      call(std::move(op), nullptr);
    }
    note_idle();
  });
}

void Load::note_idle() {
  const std::lock_guard lock(mutex_);
  if (--open_ == 0) idle_changed_.notify_all();
}

Operation Load::choose(Client& client) {
  Operation op;
  op.client = client.number;
  op.key = keys_[random_.below(keys_.size())];
  op.via = options_.endpoints[client.endpoint];
  const std::uint64_t dice = random_.below(10);
  op.kind = dice < 4 ? Kind::kPut : dice < 7 ? Kind::kGet : dice < 8 ? Kind::kRemove : Kind::kSwap;
  if (op.kind == Kind::kPut || op.kind == Kind::kSwap) {
    op.argument = "c" + std::to_string(client.number) + "." + std::to_string(++values_);
  }
  if (op.kind == Kind::kSwap) op.expected = last_seen_[op.key];
  return op;
}

void Load::next(Client& client) {
  if (!running_) return note_idle();
  call(choose(client), &client);
}

void Load::call(Operation op, Client* client) {
  std::size_t endpoint = 0;
  while (options_.endpoints[endpoint] != op.via) ++endpoint;
  SharedBytes request = request_of(op);
  const std::string_view path = path_of(op);
  op.start_ns = clock_.now().time_since_epoch().count();
  net::CallOptions call_options;
  call_options.timeout = options_.timeout;
  auto done = [this, op = std::move(op), client](Result<SharedBytes> answer) mutable {
    ended(std::move(op), answer, client);
  };
  channels_[endpoint]->unary(path, std::move(request), std::move(done), call_options);
}

void Load::ended(Operation op, const Result<SharedBytes>& answer, Client* client) {
  op.end_ns = clock_.now().time_since_epoch().count();
  const bool well = answer && take_answer(answer->view(), op);
  op.outcome = well ? Outcome::kOk : Outcome::kUnknown;
  answered_ += well;
  if (well) note_seen(op);
  if (well || !never_sent(answer ? Error{} : answer.error())) history_.push_back(std::move(op));
  if (client == nullptr) return note_idle();
  rest(*client, well);
}

void Load::note_seen(const Operation& op) {
  const bool wrote = op.kind == Kind::kPut || (op.kind == Kind::kSwap && op.applied);
  last_seen_[op.key] = wrote ? std::optional(op.argument) : op.read;
}

void Load::rest(Client& client, bool well) {
  if (!well) client.endpoint = (client.endpoint + 1) % channels_.size();
  if (random_.below(8) == 0) client.endpoint = random_.below(channels_.size());
  const Duration pause = well ? options_.pause : options_.after_error;
  thread_.post_at(clock_.now() + pause, [this, &client] { next(client); });
}

}  // namespace truss::cluster
