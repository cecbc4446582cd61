#include "gateway_json.h"

#include <doctest/doctest.h>

#include "gateway.h"

using namespace truss;
using namespace truss::api;
using enum server::CompatLevel;

TEST_CASE("gateway: HTTP status of each code and level") {
  struct Row {
    Code code;
    int v34, v35, v36;
  };
  const Row rows[] = {
      {Code::kCanceled, 408, 408, 499},           {Code::kUnknown, 500, 500, 500},
      {Code::kInvalidArgument, 400, 400, 400},    {Code::kDeadlineExceeded, 504, 504, 504},
      {Code::kNotFound, 404, 404, 404},           {Code::kAlreadyExists, 409, 409, 409},
      {Code::kPermissionDenied, 403, 403, 403},   {Code::kResourceExhausted, 429, 429, 429},
      {Code::kFailedPrecondition, 412, 400, 400}, {Code::kAborted, 409, 409, 409},
      {Code::kOutOfRange, 400, 400, 400},         {Code::kUnimplemented, 501, 501, 501},
      {Code::kInternal, 500, 500, 500},           {Code::kUnavailable, 503, 503, 503},
      {Code::kDataLoss, 500, 500, 500},           {Code::kUnauthenticated, 401, 401, 401}};
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.code));
    CHECK(http_status(row.code, k34) == row.v34);
    CHECK(http_status(row.code, k35) == row.v35);
    CHECK(http_status(row.code, k36) == row.v36);
    CHECK(http_status(row.code, k37) == row.v36);
  }
}

TEST_CASE("gateway: error bodies") {
  const Error error{Code::kInvalidArgument, "a <b>"};
  CHECK(error_body(error, k34) ==
        R"({"error":"a \u003cb\u003e","message":"a \u003cb\u003e","code":3})");
  CHECK(error_body(error, k35) ==
        R"({"error":"a \u003cb\u003e","code":3,"message":"a \u003cb\u003e"})");
  CHECK(error_body(error, k36) == R"({"code":3,"message":"a <b>"})");
  CHECK(
      stream_error_line({Code::kUnknown, "x"}, k35) ==
      R"({"error":{"grpc_code":2,"http_code":500,"message":"x","http_status":"Internal Server Error"}})");
  CHECK(stream_error_line({Code::kUnknown, "x"}, k36) ==
        "{\"error\":{\"code\":2,\"message\":\"x\"}}\n");
}
