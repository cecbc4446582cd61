#pragma once

#include "truss/common/testing/sim_file_system.h"
#include "truss/tool/names.h"

namespace truss::walctl_test {

/// Names on a simulated disk, where nothing has an owner.
class SimNames final : public tool::Names {
 public:
  explicit SimNames(truss::testing::SimFileSystem& disk) : disk_(disk) {}
  Result<> exchange(const std::string& a, const std::string& b) override {
    return disk_.exchange(a, b);
  }
  Result<> keep_owner(const std::string&, const std::string&) override { return {}; }

 private:
  truss::testing::SimFileSystem& disk_;
};

}  // namespace truss::walctl_test
