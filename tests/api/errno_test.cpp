// errno belongs to the fiber: it survives parks and migrations, and is not seen
// by others.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <vector>

#include "support/chaotic.hpp"
#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class fiber_errno : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(workers, fiber_errno, testing::Values(1u, 2u, 4u));

TEST_P(fiber_errno, survives_every_kind_of_park) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    std::vector<fiber> fibers;
    for (int i = 1; i <= 16; ++i) {
      fibers.emplace_back([i] {
        const fd_pair p = make_pipe();
        for (int round = 0; round < 200; ++round) {
          const int mine = i * 1000 + round;
          errno = mine;
          switch ((i + round) % 5) {
            case 0:
              this_fiber::yield();
              break;
            case 1:
              this_fiber::sleep_for(1us);
              break;
            case 2:
              fiber([] { errno = -1; }).join();
              break;
            case 3:
              run([] { errno = -2; });
              break;
            default: {
              fiber writer([&] { EXPECT_EQ(write(p[1], "x"), 1); });
              std::error_code code;
              char c;
              EXPECT_EQ(io::read(p[0], &c, 1, code), 1);
            }
          }
          ASSERT_EQ(errno, mine);
        }
      });
    }
    for (fiber& f : fibers) f.join();
  });
}

TEST_P(fiber_errno, is_zero_in_a_new_fiber) {
  runtime rt({.workers = GetParam()});
  rt.run([] {
    for (int i = 0; i < 200; ++i) {
      errno = 99;
      int seen = -1;
      fiber f([&] {
        seen = errno;
        errno = 1234;
        if (seen == 0) this_fiber::yield();
      });
      f.join();
      ASSERT_EQ(seen, 0);
    }
  });
}

// The shape that compilers break: errno's address computed before a park and
// used after it. The macro of <weft/io.hpp> is read afresh each time, so it
// must be right although the thread has changed.
TEST_P(fiber_errno, of_a_call_that_changes_threads_is_the_calls) {
  runtime rt({.workers = GetParam()});
  std::atomic<int> moved{0};
  rt.run([&] {
    std::vector<fiber> fibers;
    for (int i = 0; i < 8; ++i) {
      fibers.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          const fd_pair p = make_pipe();
          fiber closer([&] { this_fiber::sleep_for(std::chrono::microseconds(round % 20)); });
          const pid_t before = ::gettid();
          errno = 0;
          char c;
          const ssize_t n = [&] {
            const deadline_scope limit{std::chrono::microseconds(round % 30)};
            return io::read(p[0], &c, 1);
          }();
          const int error = errno;
          moved += ::gettid() != before;
          ASSERT_EQ(n, -1);
          ASSERT_EQ(error, ETIMEDOUT);
        }
      });
    }
    for (fiber& f : fibers) f.join();
  });
  if (GetParam() == 1 && !chaotic()) {
    EXPECT_EQ(moved, 0);
  }
}

TEST_P(fiber_errno, of_a_kernel_thread_is_left_alone) {
  runtime rt({.workers = GetParam()});
  errno = 77;
  rt.run([] { errno = 5; });
  EXPECT_EQ(errno, 77);
  fiber f(on(rt), [] { errno = 6; });
  f.join();
  EXPECT_EQ(errno, 77);
}
}  // namespace
}  // namespace weft::test
