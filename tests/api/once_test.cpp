// call_once: once, by whoever comes first, and again if that failed.
#include <gtest/gtest.h>

#include <stdexcept>

#include "support/crew.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

class once : public by_crew {};
INSTANTIATE_TEST_SUITE_P(crews, once, test::crews, name_of_crew);

TEST_P(once, is_once) {
  for (int round = 0; round < times(20); ++round) {
    once_flag flag;
    int calls = 0;
    on_all(GetParam(), 8, [&](int i) {
      call_once(flag, [&] {
        if (i % 2 == 0) this_fiber::yield();
        if (i % 3 == 0) this_fiber::sleep_for(50us);
        ++calls;
      });
      EXPECT_EQ(calls, 1);
    });
    EXPECT_EQ(calls, 1);
  }
}

TEST_P(once, the_next_one_tries_after_an_exception) {
  for (int round = 0; round < times(20); ++round) {
    once_flag flag;
    std::atomic<int> tried{0};
    std::atomic<int> threw{0};
    int done = 0;
    on_all(GetParam(), 8, [&](int) {
      try {
        call_once(flag, [&] {
          this_fiber::yield();
          if (++tried <= 5) throw std::runtime_error("not yet");
          ++done;
        });
        EXPECT_EQ(done, 1);
      } catch (const std::runtime_error&) {
        ++threw;
      }
    });
    EXPECT_EQ(threw, 5);
    EXPECT_EQ(tried, 6);
    EXPECT_EQ(done, 1);
  }
}

TEST(once_flags, pass_arguments_on) {
  once_flag flag;
  auto moved = std::make_unique<int>(3);
  int got = 0;
  call_once(
      flag, [&](std::unique_ptr<int> p, int& to) { to = *p; }, std::move(moved), got);
  EXPECT_EQ(got, 3);
  struct thing {
    int value = 0;
    void set(int to) { value = to; }
  } it;
  once_flag other;
  call_once(other, &thing::set, &it, 9);
  call_once(other, &thing::set, &it, 10);
  EXPECT_EQ(it.value, 9);
}

TEST(once_flags, inside_itself_throws) {
  const auto nested = [] {
    once_flag flag;
    const thrown error = thrown_by([&] { call_once(flag, [&] { call_once(flag, [] {}); }); });
    EXPECT_EQ(error.code, std::errc::resource_deadlock_would_occur);
    EXPECT_NE(error.text.find("weft::call_once at"), std::string::npos) << error.text;
    bool called = false;
    call_once(flag, [&] { called = true; });  // the outer call has failed
    EXPECT_TRUE(called);
  };
  nested();
  run(nested);
}

// Whoever waits is not cancelled: std's meaning.
TEST(once_flags, are_no_cancellation_point) {
  runtime rt({.workers = 2});
  rt.run([&] {
    once_flag flag;
    std::atomic<bool> inside{false};
    std::atomic<bool> go{false};
    fiber first([&] {
      call_once(flag, [&] {
        inside = true;
        until([&] { return go.load(); });
      });
    });
    bool through = false;
    fiber second([&] {
      until([&] { return inside && this_fiber::get_stop_token().stop_requested(); });
      call_once(flag, [] { FAIL(); });
      through = true;
    });
    second.request_stop();
    for (int i = 0; i < 50; ++i) this_fiber::yield();
    go = true;
    first.join();
    second.join();
    EXPECT_TRUE(through);
  });
}

constinit once_flag global_once;

TEST(once_flags, a_global_is_constant_initialised) {
  int calls = 0;
  for (int i = 0; i < 3; ++i) call_once(global_once, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}
}  // namespace
}  // namespace weft::test
