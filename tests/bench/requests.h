#pragma once

#include <string>
#include <string_view>

#include "load.h"
#include "truss/common/bytes.h"
#include "truss/common/random.h"

namespace truss::bench {

/// 34 bytes; in the order of `number`, which is below 10^7.
std::string key_name(std::uint64_t number);

struct Request {
  std::string_view path;
  SharedBytes message;
  std::size_t least_answer = 0;  ///< a right answer is no shorter
};

/// `keys` put in one transaction.
Request puts_in_one(const std::vector<std::string>& keys, std::string_view value);
Request put_of(std::string_view key, std::string_view value);

/// Makes the requests of an op. Thread: one.
class Requests {
 public:
  explicit Requests(const LoadSpec& spec);
  Request next();

 private:
  std::string random_key() { return key_name(random_.below(spec_.key_space)); }
  Request get(bool serializable);
  Request range();

  const LoadSpec spec_;
  SeededRandom random_;
  const std::string value_;
};

}  // namespace truss::bench
