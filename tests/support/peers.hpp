#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <thread>
#include <utility>

#include "support/fibers.hpp"

namespace weft::test {
// Who takes part: the test itself, on a fiber of so many workers or, with 0, on a kernel thread;
// and its peers, which are kernel threads or fibers (of the test's runtime, or the default one).
struct company {
  unsigned workers;
  bool thread_peers;
  friend std::ostream& operator<<(std::ostream& out, const company& c) {
    return out << c.workers << (c.thread_peers ? " with threads" : " with fibers");
  }
};

// Joins in its destructor.
class peer {
 public:
  peer(bool thread, auto f) {
    if (thread) {
      thread_ = std::jthread(std::move(f));
    } else {
      fiber_ = fiber(std::move(f));
    }
  }
  peer(peer&&) = default;
  peer& operator=(peer&&) = default;
  ~peer() { join(); }
  // Waits for its end, which is not asked for.
  void join() {
    if (fiber_.joinable()) fiber_.join();
    if (thread_.joinable()) thread_.join();
  }

 private:
  fiber fiber_;
  std::jthread thread_;
};

//   class channels : public in_company {};
//   INSTANTIATE_TEST_SUITE_P(of, channels, companies, company_name);
class in_company : public testing::TestWithParam<company> {
 protected:
  template <class F>
  void run(F&& f) {
    if (GetParam().workers == 0) return f();
    runtime rt({.workers = GetParam().workers});
    rt.run(std::forward<F>(f));
  }
  template <class F>
  peer beside(F f) {
    return peer(GetParam().thread_peers, std::move(f));
  }
};
inline const auto companies =
    testing::Values(company{0, true}, company{0, false}, company{1, false}, company{2, false},
                    company{4, false}, company{2, true});
inline const auto company_name = [](const testing::TestParamInfo<company>& of) {
  return (of.param.workers == 0 ? std::string("thread")
                                : "fiber_of_" + std::to_string(of.param.workers)) +
         (of.param.thread_peers ? "_and_threads" : "_and_fibers");
};
}  // namespace weft::test
