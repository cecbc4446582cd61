#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>

#include "truss/common/bytes.h"

namespace truss::api {

/// An empty message of a generated type.
inline std::unique_ptr<google::protobuf::Message> new_message(
    const google::protobuf::Descriptor& type) {
  const auto* factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<google::protobuf::Message>(
      const_cast<google::protobuf::MessageFactory*>(factory)->GetPrototype(&type)->New());
}

/// The canonical encoding: ascending fields, no defaults, minimal varints.
inline SharedBytes serialize(const google::protobuf::Message& message) {
  return SharedBytes::build(message.ByteSizeLong(), [&](char* out) {
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out));
  });
}

/// A message parsed from bytes that were scanned before.
template <class Message>
Message parse(ByteView bytes) {
  Message message;
  message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  return message;
}

}  // namespace truss::api
