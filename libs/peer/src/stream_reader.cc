#include "stream_reader.h"

#include <algorithm>

#include "truss/peer/request_header.h"
#include "truss/peer/text.h"

namespace truss::peer {
namespace {

constexpr std::size_t kMaxReasonBytes = 1024;

const char* reader_kind(StreamKind kind) {
  return kind == StreamKind::kMessage ? "stream Message" : "stream MsgApp v2";
}

}  // namespace

/// One connection: from the dial to its end.
class StreamReader::Stream final : public net::HttpResponseHandler {
 public:
  Stream(const std::shared_ptr<StreamReader>& reader, std::string url)
      : url_(std::move(url)), reader_(reader) {
    const Options& options = reader->context_->options;
    if (reader->kind_ == StreamKind::kMessage) {
      codec_.emplace<MessageStreamReader>(options.max_message_bytes);
    } else {
      codec_.emplace<MsgAppReader>(reader->peer_, reader->context_->identity.self,
                                   options.max_message_bytes);
    }
  }

  void open(net::HttpClient& client, net::HttpCall call, std::shared_ptr<Stream> self) {
    exchange_ = client.open(std::move(call), std::move(self));
  }
  void cancel() { exchange_.cancel(); }

  void on_head(net::HttpResponse head) override {
    const auto reader = reader_.lock();
    if (!reader) return;
    status_ = head.status;
    const bool meant = status_ == 200 || status_ == 410;  // of others the text says more
    if (meant && check_remote_version(head.header("x-server-version"),
                                      reader->context_->identity) != RemoteVersion::kFine) {
      failed_with_ = "unsupported stream type";
      exchange_.cancel();
    } else if (status_ == 200) {
      established(*reader);
    }
  }

  void on_body(ByteView piece) override {
    const auto reader = reader_.lock();
    if (!reader || reader->stopped_ || !failed_with_.empty()) return;
    if (status_ != 200) {
      reason_.append(piece.substr(0, kMaxReasonBytes - std::min(reason_.size(), kMaxReasonBytes)));
      return;
    }
    LinkCounts& counts = reader->activity_->counts();
    count(counts.received_bytes, piece.size());
    const Result<> read =
        std::visit([&](auto& codec) -> Result<> { return receive(codec, piece); }, codec_);
    // A failed POST may have made the peer inactive, but here it is.
    if (!messages_.empty()) reader->activity_->works(reader->context_->now());
    reader->context_->deliver(messages_);
    if (read) return;
    failed_with_ = read.error().message;
    count(counts.received_failures);
    exchange_.cancel();
  }

  void on_end(Result<void> how) override {
    const auto reader = reader_.lock();
    if (!reader) return;
    if (!failed_with_.empty()) how = fail(Code::kInternal, failed_with_);
    reader->ended(*this, how);
  }

  const std::string& url() const { return url_; }
  int status() const { return status_; }
  std::string_view reason() const {
    return reason_.ends_with('\n') ? std::string_view(reason_).substr(0, reason_.size() - 1)
                                   : reason_;
  }

 private:
  Result<> receive(std::monostate, ByteView) { return {}; }
  template <class Codec>
  Result<> receive(Codec& codec, ByteView piece) {
    return codec.receive(piece, messages_);
  }

  void established(StreamReader& reader) {
    reader.activity_->works(reader.context_->now());
    reader.log_change("established");
  }

  const std::string url_;
  std::weak_ptr<StreamReader> reader_;
  net::HttpExchange exchange_;
  std::variant<std::monostate, MessageStreamReader, MsgAppReader> codec_;
  std::vector<raft::Message> messages_;
  int status_ = 0;
  std::string reason_;
  std::string failed_with_;
};

StreamReader::StreamReader(std::shared_ptr<Context> context, raft::NodeId peer, StreamKind kind,
                           std::shared_ptr<PeerUrls> urls, std::shared_ptr<Activity> activity)
    : context_(std::move(context)),
      peer_(peer),
      kind_(kind),
      urls_(std::move(urls)),
      activity_(std::move(activity)) {}

void StreamReader::stop() {
  stopped_ = true;
  if (stream_) stream_->cancel();
  stream_.reset();
}

net::HttpCall StreamReader::call(const std::string& url) const {
  net::HttpCall call;
  const Identity& who = context_->identity;
  call.url = url + "/raft/stream/" + (kind_ == StreamKind::kMessage ? "message/" : "msgapp/") +
             id_text(who.self.value());
  call.headers = raft_headers(who, peer_);
  call.times.connect = context_->options.dial_timeout;
  call.times.read = context_->options.read_timeout;
  call.times.write = context_->options.read_timeout;
  return call;
}

void StreamReader::dial() {
  if (stopped_ || context_->stopped) return;
  last_dial_ = context_->now();
  count(context_->dials);
  const std::string url = urls_->current();
  stream_ = std::make_shared<Stream>(shared_from_this(), url);
  stream_->open(*context_->streams, call(url), stream_);
}

void StreamReader::dial_later() {
  const MonoTime when = std::max(context_->now(), last_dial_ + context_->options.dial_interval);
  context_->thread.post_at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->dial();
  });
}

void StreamReader::ended(Stream& stream, const Result<void>& how) {
  if (stopped_ || stream_.get() != &stream) return;
  if (stream.status() != 0 && stream.status() != 200 && how) {
    urls_->failed(stream.url());
    refused(stream.status(), stream.reason());
  } else if (!how) {
    // Which URL is at fault shows before the stream is there, not after.
    if (stream.status() != 200) urls_->failed(stream.url());
    activity_->failed(reader_kind(kind_), how.error().message);
    log_change("lost: " + how.error().message);
  } else {
    log_change("closed by the peer");
  }
  stream_.reset();
  if (!stopped_) dial_later();
}

void StreamReader::refused(int status, std::string_view body) {
  std::string why = "answered " + std::to_string(status) + ": " + std::string(body);
  if (status == 404) why = "peer failed to find local node";
  if (status == 410) why = "the member has been permanently removed from the cluster";
  activity_->failed(reader_kind(kind_), why);
  log_change("refused: " + why);
  if (status == 410) context_->report_removed();
}

/// Dials repeat ten times a second: only what is new goes to the log.
void StreamReader::log_change(std::string what) {
  if (what == last_log_) return;
  context_->logger.log(what == "established" ? LogLevel::kInfo : LogLevel::kWarn,
                       "stream from remote peer",
                       {{"stream-reader-type", reader_kind(kind_)},
                        {"remote-peer-id", id_text(peer_.value())},
                        {"state", what}});
  last_log_ = std::move(what);
}

}  // namespace truss::peer
