#pragma once

#include <string>
#include <vector>

#include "truss/common/error.h"
#include "truss/net/call.h"
#include "truss/net/http2_session.h"

namespace truss::net {

/// Numbers and encoded text of a status, alive while its fields are sent.
class StatusFields {
 public:
  /// `metadata` must outlive this.
  StatusFields(const Error& status, const Metadata& metadata);
  template <class Fields>
  void append_to(Fields& fields) const {
    fields.push_back({"grpc-status", code_});
    fields.push_back({"grpc-message", message_});
    for (std::size_t i = 0; i < encoded_.size(); ++i) {
      fields.push_back({(*metadata_)[i].first, encoded_[i]});
    }
  }

 private:
  std::string code_;
  std::string message_;
  std::vector<std::string> encoded_;
  const Metadata* metadata_;
};

}  // namespace truss::net
