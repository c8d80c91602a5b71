// What weft::dump says of fibers that go on while it is written, or are between two states.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/descriptors.hpp"
#include "support/dumps.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

// The pipe takes the beginning of the dump; the rest is told of waits that have begun since.
TEST(dump_moving, counts_waits_that_begin_meanwhile_as_new) {
  runtime rt({.workers = 1});
  std::vector<fiber> all;
  for (int i = 0; i < 500; ++i) {
    all.emplace_back(on(rt), [] {
      for (;;) this_fiber::sleep_for(1ms);
    });
  }
  fd_pair pipe;  // that blocks
  ASSERT_EQ(::pipe(pipe.fds), 0);
  std::thread writer([&] {
    dump(pipe[1], dump_detail::every_fiber);
    pipe.close(1);
  });
  char part[4096];
  ssize_t n = ::read(pipe[0], part, sizeof part);
  std::string text;
  const std::uint64_t before = rt.stats().switches;
  until([&] { return rt.stats().switches > before + 10'000; });
  for (; n > 0; n = ::read(pipe[0], part, sizeof part)) text.append(part, std::size_t(n));
  writer.join();
  EXPECT_TRUE(has(text, "\n500 fibers: ")) << text;
  EXPECT_FALSE(has(text, "for [0-9]+ min: ")) << text;
}
}  // namespace
}  // namespace weft::test
