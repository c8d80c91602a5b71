#pragma once
#include <gtest/gtest.h>

#include <utility>

#include "support/fibers.hpp"

namespace weft::test {
// For suites whose tests hold on a kernel thread (0) as well as on fibers of one worker and of two:
//   class sleep : public anywhere {};
//   INSTANTIATE_TEST_SUITE_P(workers, sleep, places);
class anywhere : public testing::TestWithParam<unsigned> {
 protected:
  template <class F>
  void run(F&& f) {
    if (GetParam() == 0) return f();
    runtime rt({.workers = GetParam()});
    rt.run(std::forward<F>(f));
  }
};
inline const auto places = testing::Values(0u, 1u, 2u);
}  // namespace weft::test
