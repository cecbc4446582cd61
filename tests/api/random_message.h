#pragma once

#include <google/protobuf/message.h>

#include "truss/common/random.h"

namespace truss::api {

/// Fills `message` with random fields, nested ones down to `depth`. Strings are valid UTF-8.
void fill_randomly(google::protobuf::Message& message, Random& random, int depth = 3);

}  // namespace truss::api
