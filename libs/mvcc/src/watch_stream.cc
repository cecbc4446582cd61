#include "truss/mvcc/watch.h"
#include "watch_hub.h"

namespace truss::mvcc {

WatchStream::~WatchStream() { hub_->close_stream(id_); }

std::int64_t WatchStream::create(const WatchRequest& request) { return hub_->create(id_, request); }
bool WatchStream::cancel(std::int64_t watch_id) { return hub_->cancel(id_, watch_id); }
void WatchStream::request_progress() { hub_->request_progress(id_); }
bool WatchStream::request_progress(std::int64_t watch_id) {
  return hub_->request_progress(id_, watch_id);
}
void WatchStream::fill_prev_kv(WatchResponse& response) { hub_->fill_prev_kv(response); }
std::size_t WatchStream::size() const { return hub_->stream_size(id_); }

}  // namespace truss::mvcc
