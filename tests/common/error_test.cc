#include "truss/common/error.h"

#include <doctest/doctest.h>

#include <cerrno>

using namespace truss;

namespace {

Result<int> half(int v) {
  if (v % 2 != 0) return fail(Code::kInvalidArgument, "odd: " + std::to_string(v));
  return v / 2;
}

Result<int> quarter(int v) {
  TRUSS_ASSIGN(const int once, half(v));
  TRUSS_ASSIGN(const int twice, half(once));
  return twice;
}

Result<> check_quarter(int v) {
  TRUSS_TRY(quarter(v));
  return {};
}

}  // namespace

TEST_CASE("TRUSS_ASSIGN and TRUSS_TRY pass values and errors on") {
  CHECK(quarter(12).value() == 3);
  CHECK(quarter(6).error().message == "odd: 3");
  CHECK(check_quarter(8).has_value());
  CHECK(check_quarter(2).error() == Error{Code::kInvalidArgument, "odd: 1", 0});
}

TEST_CASE("fail puts context before the message and keeps the rest") {
  const Result<> inner = fail(Code::kNotFound, "no page 7", ENOENT);
  const Result<> outer = fail("db /x", inner.error());
  CHECK(outer.error() == Error{Code::kNotFound, "db /x: no page 7", ENOENT});
}

TEST_CASE("fail_errno names subject, text and number and picks the code") {
  const Result<> absent = fail_errno("open /x", ENOENT);
  CHECK(absent.error().code == Code::kNotFound);
  CHECK(absent.error().message == "open /x: No such file or directory (errno 2)");
  CHECK(absent.error().sys_errno == ENOENT);
  const auto code = [](int e) { return Result<>(fail_errno("x", e)).error().code; };
  CHECK(code(EEXIST) == Code::kAlreadyExists);
  CHECK(code(EACCES) == Code::kPermissionDenied);
  CHECK(code(EROFS) == Code::kPermissionDenied);
  CHECK(code(ENOSPC) == Code::kResourceExhausted);
  CHECK(code(EWOULDBLOCK) == Code::kUnavailable);
  CHECK(code(EIO) == Code::kInternal);
}

TEST_CASE("codes have gRPC's numbers and names") {
  CHECK(static_cast<int>(Code::kUnauthenticated) == 16);
  CHECK(code_name(Code::kOk) == "OK");
  CHECK(code_name(Code::kInvalidArgument) == "InvalidArgument");
  CHECK(code_name(Code::kUnauthenticated) == "Unauthenticated");
  CHECK(code_name(Code::kCorruption) == "Corruption");
  CHECK(code_name(static_cast<Code>(55)) == "Unknown");
}
