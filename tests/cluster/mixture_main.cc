// Operations of all kinds, many at a time, through all members of a cluster.
//   truss_cluster_mix --endpoints A,B,C [--operations N] [--clients N] [--seed N] [--prefix P]
// Exit codes: 0 if none failed, 1 if any did, 2 usage.

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "mixture.h"

namespace truss::cluster {
namespace {

bool parse(int argc, char** argv, MixtureOptions& out) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "--endpoints") {
      std::istringstream in(value);
      for (std::string part; std::getline(in, part, ',');) out.endpoints.push_back(part);
    } else if (flag == "--operations") {
      out.operations = std::strtoull(value.c_str(), nullptr, 10);
    } else if (flag == "--clients") {
      out.clients = std::atoi(value.c_str());
    } else if (flag == "--seed") {
      out.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (flag == "--prefix") {
      out.prefix = value;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !out.endpoints.empty() && out.clients > 0;
}

int main(int argc, char** argv) {
  MixtureOptions options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: truss_cluster_mix --endpoints A,B,C [--operations N] [--clients N] "
                 "[--seed N] [--prefix P]\n");
    return 2;
  }
  SystemClock clock;
  const MixtureResult result = Mixture(clock, options).run();
  std::string text;
  for (const auto& [name, count] : result.done) text += std::to_string(count) + " " + name + ", ";
  std::printf("%s%llu refused by a race, %llu failed%s%s\n", text.c_str(),
              static_cast<unsigned long long>(result.refused),
              static_cast<unsigned long long>(result.errors), result.errors > 0 ? ": " : "",
              result.first_error.c_str());
  return result.errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace truss::cluster

int main(int argc, char** argv) { return truss::cluster::main(argc, argv); }
