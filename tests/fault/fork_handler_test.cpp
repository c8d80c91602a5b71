// The handlers of fork are registered before main(). Where that is refused, whoever first needs
// them tries again, and says if it is refused again.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "fault/injector.hpp"
#include "support/fibers.hpp"
#include "support/process.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

void expect_refusal(const thrown& error) {
  EXPECT_EQ(error.code, std::error_code(ENOMEM, std::generic_category()));
  EXPECT_NE(error.text.find("no memory for the handler that runs when the process forks"),
            std::string::npos)
      << error.text;
}

// Three calls are refused.
TEST(fork_handler, DISABLED_victim) {
  ASSERT_EQ(fork_handler_calls(), 1) << "before main()";
  expect_refusal(thrown_by([] { const runtime rt; }));
  event never_set;
  expect_refusal(thrown_by([&] { never_set.wait_for(1ms); }));  // the thread has not waited before
  EXPECT_EQ(fork_handler_calls(), 3);
  EXPECT_FALSE(never_set.wait_for(1ms));
  EXPECT_EQ(fork_handler_calls(), 4);
  runtime rt({.workers = 1});
  EXPECT_EQ(rt.run([] { return 42; }), 42);
  EXPECT_EQ(fork_handler_calls(), 4) << "registered twice: a fork would wait for itself";
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    const bool told = bool(thrown_by([&rt] { fiber(on(rt), [] {}).detach(); }).code);
    ::_exit(told ? 7 : 8);
  }
  EXPECT_EQ(status_of(child), 7);
}

TEST(fork_handler, is_registered_before_main) {
  EXPECT_EQ(fork_handler_calls(), 1);
}

TEST(fork_handler, that_is_refused_is_tried_again) {
  const ended ran =
      shell(refused_handlers + ("=3 " + own_command()) + only("fork_handler.DISABLED_victim"));
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(ran.has("[  PASSED  ] 1 test")) << ran.output;
}
}  // namespace
}  // namespace weft::test
