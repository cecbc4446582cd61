#include "url.h"

#include <algorithm>

#include "truss/common/text.h"

namespace truss::net {
void split_target(HttpRequest& request) {
  std::string_view target = request.target;
  if (const std::size_t scheme = target.find("://");
      !target.starts_with('/') && scheme != std::string_view::npos) {
    const std::size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  request.path = percent_decode(target.substr(0, question));
  if (question < target.size()) request.query = target.substr(question + 1);
}

}  // namespace truss::net
