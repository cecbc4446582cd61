#include "status_fields.h"

#include "truss/common/base64.h"
#include "truss/net/grpc_text.h"

namespace truss::net {

StatusFields::StatusFields(const Error& status, const Metadata& metadata)
    : code_(std::to_string(
          static_cast<int>(status.code == Code::kCorruption ? Code::kDataLoss : status.code))),
      message_(encode_grpc_message(status.message)),
      metadata_(&metadata) {
  encoded_.reserve(metadata.size());
  for (const auto& [name, value] : metadata) {
    encoded_.push_back(name.ends_with("-bin") ? base64_encode_unpadded(value) : value);
  }
}

}  // namespace truss::net
