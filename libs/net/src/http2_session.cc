#include "truss/net/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "header_rules.h"
#include "truss/common/check.h"

namespace truss::net {
namespace {

constexpr std::int32_t kMaxWindow = 0x7fffffff;
/// Client resets a second that are taken for granted: cancelled calls are cheap here, so the limit
/// only stops floods.
constexpr std::uint64_t kResetBurst = 20'000;
constexpr std::uint64_t kResetRate = 5'000;

/// nghttp2 copies what it is given here unless told otherwise, so the views need not outlive the
/// call; a header of ours has at most a dozen fields.
class NativeFields {
 public:
  explicit NativeFields(std::span<const HeaderField> fields) : size_(fields.size()) {
    if (size_ > inline_.size()) heap_.resize(size_);
    nghttp2_nv* out = data();
    for (const HeaderField& f : fields) {
      *out++ = {bytes(f.name), bytes(f.value), f.name.size(), f.value.size(), NGHTTP2_NV_FLAG_NONE};
    }
  }
  nghttp2_nv* data() { return heap_.empty() ? inline_.data() : heap_.data(); }
  std::size_t size() const { return size_; }

 private:
  static std::uint8_t* bytes(std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // NOLINT: C interface
  }
  std::size_t size_;
  std::array<nghttp2_nv, 12> inline_;
  std::vector<nghttp2_nv> heap_;
};

ByteView view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

std::array<std::uint8_t, 8> opaque_bytes(std::uint64_t opaque) {
  std::array<std::uint8_t, 8> out;
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(opaque >> (56 - 8 * i));
  return out;
}

std::uint64_t opaque_value(const std::uint8_t* bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = (out << 8) | bytes[i];
  return out;
}

}  // namespace

struct Http2Session::Native {
  nghttp2_session* session = nullptr;
  HeaderRules rules;  ///< of the block being received: blocks never interleave
  bool server = true;
  ~Native() { nghttp2_session_del(session); }
};

/// nghttp2's callbacks, each a thin turn to the handler.
struct Http2Session::Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }
  static Http2Stream* stream(nghttp2_session* session, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    Http2Session& me = self(user);
    const std::int32_t id = frame->hd.stream_id;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      Http2Stream* fresh = me.handler_.on_request();
      if (fresh == nullptr) {
        return nghttp2_submit_rst_stream(session, 0, id, NGHTTP2_REFUSED_STREAM);
      }
      fresh->stream_id_ = id;
      nghttp2_session_set_stream_user_data(session, id, fresh);
      me.link(*fresh);
    }
    const Http2Stream* s = stream(session, id);
    const bool trailers = s != nullptr && s->headers_done_;
    me.native_->rules.begin(trailers             ? HeaderRules::Block::kTrailers
                            : me.native_->server ? HeaderRules::Block::kRequest
                                                 : HeaderRules::Block::kResponse);
    return 0;
  }

  static void refuse(nghttp2_session* session, Http2Stream& s) {
    s.malformed_ = true;
    nghttp2_submit_rst_stream(session, 0, s.stream_id_, NGHTTP2_PROTOCOL_ERROR);
  }

  static int header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t /*flags*/, void* user) {
    Http2Stream* s = stream(session, frame->hd.stream_id);
    if (s == nullptr || s->malformed_) return 0;
    Http2Session& me = self(user);
    if (!me.native_->rules.accept(view(name, name_size), view(value, value_size))) {
      refuse(session, *s);
      return 0;
    }
    me.handler_.on_header(*s, view(name, name_size), view(value, value_size));
    return 0;
  }

  static int frame_received(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Session& me = self(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA:
        stream_frame(me, session, frame);
        break;
      case NGHTTP2_PING:
        me.handler_.on_ping((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0,
                            opaque_value(frame->ping.opaque_data));
        break;
      case NGHTTP2_GOAWAY:
        me.handler_.on_goaway(frame->goaway.last_stream_id,
                              static_cast<Http2Code>(frame->goaway.error_code),
                              view(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) me.handler_.on_settings();
        break;
      default:
        break;
    }
    return 0;
  }

  static void stream_frame(Http2Session& me, nghttp2_session* session, const nghttp2_frame* frame) {
    Http2Stream* s = stream(session, frame->hd.stream_id);
    if (s == nullptr || s->malformed_) return;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool headers = frame->hd.type == NGHTTP2_HEADERS;
    if (headers && s->headers_done_ && !ends) {
      return refuse(session, *s);
    }
    if (ends) s->remote_ended_ = true;
    if (headers) me.handler_.on_headers_complete(*s, std::exchange(s->headers_done_, true));
    if (s->remote_ended_) me.handler_.on_remote_end(*s);
  }

  static int data_chunk(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id,
                        const std::uint8_t* data, std::size_t size, void* user) {
    Http2Session& me = self(user);
    Http2Stream* s = stream(session, id);
    if (s != nullptr && !s->malformed_ && s->headers_done_) {
      me.handler_.on_data(*s, view(data, size));
    } else {
      me.consume_connection(size);
    }
    return 0;
  }

  static int stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t code,
                           void* user) {
    Http2Stream* s = stream(session, id);
    if (s == nullptr) return 0;
    Http2Session& me = self(user);
    nghttp2_session_set_stream_user_data(session, id, nullptr);
    me.unlink(*s);
    me.handler_.on_closed(*s, static_cast<Http2Code>(code));
    return 0;
  }

  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!ends || nghttp2_session_check_server_session(session) == 0) return 0;
    (void)user;
    Http2Stream* s = stream(session, frame->hd.stream_id);
    // The answer is complete and the client still sends: nobody will read that.
    if (s != nullptr && !s->remote_ended_) {
      nghttp2_submit_rst_stream(session, 0, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static ssize_t read_body(nghttp2_session* /*session*/, std::int32_t /*id*/, std::uint8_t* /*buf*/,
                           std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                           void* user) {
    auto& s = *static_cast<Http2Stream*>(source->ptr);
    const std::size_t available = s.out_.size_bytes();
    if (available == 0 && !s.local_ending_) {
      s.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    const std::size_t count = std::min(available, length);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (count == available && s.local_ending_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (s.trailers_follow_) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        self(user).handler_.on_trailers_due(s);
      }
    }
    return static_cast<ssize_t>(count);
  }

  static int write_body(nghttp2_session* /*session*/, nghttp2_frame* /*frame*/,
                        const std::uint8_t* frame_header, std::size_t length,
                        nghttp2_data_source* source, void* user) {
    constexpr std::size_t kFrameHeaderBytes = 9;
    Http2Session& me = self(user);
    auto& s = *static_cast<Http2Stream*>(source->ptr);
    me.pull_target_->append(view(frame_header, kFrameHeaderBytes));
    s.out_.write(length, *me.pull_target_);
    if (length > 0) me.handler_.on_sent(s, length);
    return 0;
  }

  static nghttp2_session_callbacks* table() {
    nghttp2_session_callbacks* out = nullptr;
    TRUSS_CHECK(nghttp2_session_callbacks_new(&out) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(out, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(out, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(out, frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(out, data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(out, stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(out, frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(out, write_body);
    return out;
  }

  static nghttp2_option* options() {
    nghttp2_option* out = nullptr;
    TRUSS_CHECK(nghttp2_option_new(&out) == 0);
    nghttp2_option_set_no_auto_window_update(out, 1);
    nghttp2_option_set_no_closed_streams(out, 1);
    nghttp2_option_set_no_http_messaging(out, 1);  // HeaderRules are as lenient as grpc-go
    nghttp2_option_set_stream_reset_rate_limit(out, kResetBurst, kResetRate);
    nghttp2_option_set_peer_max_concurrent_streams(out, 100);
    return out;
  }
};

Http2Session::Http2Session(const Http2Options& options, Http2Handler& handler)
    : handler_(handler), native_(std::make_unique<Native>()) {
  native_->server = options.server;
  nghttp2_session_callbacks* callbacks = Callbacks::table();
  nghttp2_option* native_options = Callbacks::options();
  const int made =
      options.server
          ? nghttp2_session_server_new2(&native_->session, callbacks, this, native_options)
          : nghttp2_session_client_new2(&native_->session, callbacks, this, native_options);
  nghttp2_option_del(native_options);
  nghttp2_session_callbacks_del(callbacks);
  TRUSS_CHECK(made == 0, "nghttp2 session");

  std::array<nghttp2_settings_entry, 4> settings;
  std::size_t count = 0;
  if (options.server && options.max_concurrent_streams != 0xffffffff) {
    settings[count++] = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams};
  }
  if (!options.server) settings[count++] = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  settings[count++] = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window_bytes};
  settings[count++] = {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.max_header_list_bytes};
  TRUSS_CHECK(nghttp2_submit_settings(native_->session, 0, settings.data(), count) == 0);
  const auto window = static_cast<std::int32_t>(
      std::min<std::uint32_t>(options.connection_window_bytes, kMaxWindow));
  TRUSS_CHECK(nghttp2_session_set_local_window_size(native_->session, 0, 0, window) == 0);
}

Http2Session::~Http2Session() = default;

void Http2Session::link(Http2Stream& stream) {
  stream.next_ = first_;
  stream.previous_ = nullptr;
  if (first_ != nullptr) first_->previous_ = &stream;
  first_ = &stream;
  ++stream_count_;
}

void Http2Session::unlink(Http2Stream& stream) {
  (stream.previous_ != nullptr ? stream.previous_->next_ : first_) = stream.next_;
  if (stream.next_ != nullptr) stream.next_->previous_ = stream.previous_;
  stream.previous_ = stream.next_ = nullptr;
  --stream_count_;
}

Result<void> Http2Session::receive(ByteView bytes) {
  if (failed_) return fail(Code::kInternal, "http2: session already failed");
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t taken = nghttp2_session_mem_recv(native_->session, data, bytes.size());
  if (taken >= 0) return {};
  failed_ = true;
  return fail(Code::kInternal, std::string("http2: ") + nghttp2_strerror(static_cast<int>(taken)));
}

void Http2Session::pull(std::string& out, std::size_t limit_bytes) {
  pull_target_ = &out;
  while (out.size() < limit_bytes) {
    const std::uint8_t* data = nullptr;
    const std::size_t before = out.size();
    const ssize_t size = nghttp2_session_mem_send(native_->session, &data);
    if (size < 0) {
      failed_ = true;
      break;
    }
    if (size > 0) out.append(view(data, static_cast<std::size_t>(size)));
    if (size == 0 && out.size() == before) break;
  }
  pull_target_ = nullptr;
}

bool Http2Session::wants_write() const {
  return !failed_ && nghttp2_session_want_write(native_->session) != 0;
}

bool Http2Session::finished() const {
  return failed_ || closing_ ||
         (nghttp2_session_want_read(native_->session) == 0 &&
          nghttp2_session_want_write(native_->session) == 0);
}

void Http2Session::respond(Http2Stream& stream, std::span<const HeaderField> fields, bool end) {
  NativeFields native(fields);
  nghttp2_data_provider body{{.ptr = &stream}, Callbacks::read_body};
  // Fails only for a stream that is gone already; its on_closed has told the owner.
  (void)nghttp2_submit_response(native_->session, stream.stream_id_, native.data(), native.size(),
                                end ? nullptr : &body);
}

bool Http2Session::request(Http2Stream& stream, std::span<const HeaderField> fields) {
  NativeFields native(fields);
  nghttp2_data_provider body{{.ptr = &stream}, Callbacks::read_body};
  const std::int32_t id = nghttp2_submit_request(native_->session, nullptr, native.data(),
                                                 native.size(), &body, &stream);
  if (id < 0) return false;
  stream.stream_id_ = id;
  link(stream);
  return true;
}

void Http2Session::resume(Http2Stream& stream) {
  if (!stream.deferred_) return;
  stream.deferred_ = false;
  (void)nghttp2_session_resume_data(native_->session, stream.stream_id_);
}

void Http2Session::end_body(Http2Stream& stream, bool trailers_follow) {
  stream.local_ending_ = true;
  stream.trailers_follow_ = trailers_follow;
  resume(stream);
}

void Http2Session::submit_trailers(Http2Stream& stream, std::span<const HeaderField> fields) {
  NativeFields native(fields);
  (void)nghttp2_submit_trailer(native_->session, stream.stream_id_, native.data(), native.size());
}

void Http2Session::reset(Http2Stream& stream, Http2Code code) {
  (void)nghttp2_submit_rst_stream(native_->session, 0, stream.stream_id_,
                                  static_cast<std::uint32_t>(code));
}

void Http2Session::consume(Http2Stream& stream, std::size_t bytes) {
  (void)nghttp2_session_consume(native_->session, stream.stream_id_, bytes);
}

void Http2Session::consume_connection(std::size_t bytes) {
  (void)nghttp2_session_consume_connection(native_->session, bytes);
}

void Http2Session::consume_stream(Http2Stream& stream, std::size_t bytes) {
  (void)nghttp2_session_consume_stream(native_->session, stream.stream_id_, bytes);
}

void Http2Session::ping(std::uint64_t opaque) {
  const auto bytes = opaque_bytes(opaque);
  (void)nghttp2_submit_ping(native_->session, 0, bytes.data());
}

void Http2Session::announce_shutdown() { (void)nghttp2_submit_shutdown_notice(native_->session); }

void Http2Session::goaway(Http2Code code, std::string_view debug) {
  if (closing_) return;
  const auto* data = reinterpret_cast<const std::uint8_t*>(debug.data());
  (void)nghttp2_submit_goaway(native_->session, 0,
                              nghttp2_session_get_last_proc_stream_id(native_->session),
                              static_cast<std::uint32_t>(code), data, debug.size());
  if (code != Http2Code::kNoError) closing_ = true;
}

}  // namespace truss::net
