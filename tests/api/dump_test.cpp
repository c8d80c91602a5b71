// What weft::dump says of fibers that do not move.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/descriptors.hpp"
#include "support/dumps.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;

fiber_options named(const char* name) {
  fiber_options options;
  options.name = name;
  options.site = {.file = "somewhere.cpp", .line = 42};
  return options;
}

TEST(dump, of_each_kind_of_wait) {
  runtime rt({.workers = 1});
  const std::string text = rt.run([&] {
    const fd_pair pipe = make_pipe();
    fiber sleeper(named("sleeper"), [] { sleep_in_depth(5); });
    const fiber joiner(named("joiner"), [&] { sleeper.join(); });
    const fiber reader(named("reader"), [&] { io::wait_readable(pipe[0]); });
    const fiber poller(named("poller"), [&] {
      pollfd one{.fd = pipe[0], .events = POLLIN, .revents = 0};
      io::poll(&one, 1, -1);
    });
    until_parked(rt, 4);
    const fiber fresh(named("fresh"), [] {});
    std::string all = dumped();
    EXPECT_TRUE(has(all, "\"reader\" parked for [0-9.]+ s: readable, fd " +
                             std::to_string(pipe[0]) + "; spawned at somewhere.cpp:42\n"))
        << all;
    return all;
  });
  EXPECT_TRUE(has(text,
                  "fiber [0-9]+ \"sleeper\" parked for [0-9.]+ s: sleep, [56][0-9] min to "
                  "go; spawned at somewhere.cpp:42\n    #0 "))
      << text;
  EXPECT_TRUE(has(text, "\"joiner\" parked for [0-9.]+ s: join of fiber [0-9]+ \"sleeper\";"))
      << text;
  EXPECT_TRUE(has(text, "\"poller\" parked for [0-9.]+ s: io::poll;")) << text;
  EXPECT_TRUE(has(text, "\"fresh\" not begun; spawned at somewhere.cpp:42\n")) << text;
  EXPECT_TRUE(has(text, "fiber [0-9]+ running on worker 0; spawned at weft::run\n    #0 ")) << text;
  EXPECT_TRUE(has(text, "\n6 fibers: 1 running, 1 not begun, 4 parked\n$")) << text;
  EXPECT_FALSE(has(text, "nothing here can wake")) << text;
  EXPECT_FALSE(has(text, "a cycle of")) << text;
}

TEST(dump, follows_the_stack_of_a_parked_fiber) {
  runtime rt({.workers = 1});
  const std::string text = rt.run([&] {
    const fiber sleeper(named("sleeper"), [] { sleep_in_depth(5); });
    until_parked(rt, 1);
    return dumped();
  });
  EXPECT_TRUE(has(text, "weft_api_tests\\+0x[0-9a-f]+ [^ \n]*sleep_in_depth")) << text;
  const std::string own = "    #[0-9]+ [^ \n]*weft_api_tests\\+0x[0-9a-f]+ [A-Za-z_][^ \n]*";
  EXPECT_TRUE(has(text, "\"sleeper\" [^\n]*\n(" + own + "\n)*" + own +
                            ", and 4 more of the same\n(" + own + "\n)+[^ ]"))
      << text;
}

TEST(dump, of_equal_fibers_is_one_entry) {
  runtime rt({.workers = 2});
  std::string grouped;
  std::string each;
  rt.run([&] {
    std::vector<fiber> all;
    for (int i = 0; i < 100; ++i) {
      all.emplace_back(named("same"), [] { this_fiber::sleep_for(1h); });
    }
    until([&] {
      grouped = dumped();
      return grouped.ends_with("\n101 fibers: 1 running, 100 parked\n");
    });
    each = dumped(dump_detail::every_fiber);
  });
  EXPECT_TRUE(has(grouped,
                  "(^|\n)100 fibers parked for [0-9.]+ s to [0-9.]+ s: sleep; spawned at "
                  "somewhere.cpp:42\n(  fiber [0-9]+[^\n]* for [0-9.]+ s: sleep, [^\n]*\n){8}"
                  "  and 92 more, the last fiber [0-9]+\n    #0 "))
      << grouped;
  EXPECT_TRUE(has(grouped, "\n  fiber [0-9]+ \"same\" for ")) << grouped;
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = each.find(": sleep, ", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 100u);
}

// Of the one fiber that sleeps, in seconds.
double told_age(const std::string& text) {
  return told_seconds(text, "parked for ");
}

TEST(dump, tells_since_when) {
  const auto before = std::chrono::steady_clock::now();
  runtime rt({.workers = 1});
  fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
  until_dumped("parked for [0-9.]+ s: sleep");
  const auto parked = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - parked < 450ms) std::this_thread::sleep_for(10ms);
  const std::string text = dumped();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - before;
  EXPECT_GE(told_age(text), 0.4) << text;
  EXPECT_LE(told_age(text), passed.count() + 0.5) << text;
}

// The runtime was idle for long, and its monitor with it: the clock stood still.
TEST(dump, tells_since_when_after_a_rest) {
  runtime rt({.workers = 1});
  std::this_thread::sleep_for(700ms);
  const auto spawned = std::chrono::steady_clock::now();
  fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
  until_dumped("parked for [0-9.]+ s: sleep");
  const std::string text = dumped();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - spawned;
  EXPECT_LE(told_age(text), passed.count() + 0.4) << text;
}

TEST(dump, shows_the_stack_of_a_fiber_that_computes) {
  runtime rt({.workers = 2});
  std::atomic<int> going{0};
  std::atomic<bool> stop{false};
  fiber busy(on(rt), [&] {
    going = 1;
    while (!stop) {
    }
  });
  until([&] { return going == 1; });
  // A dump does without the stack of a thread that gets no CPU for too long.
  until([] {
    return has(dumped(), "running on worker [01]; [^\n]*\n    #0 [^ \n]*weft_api_tests\\+0x");
  });
  stop = true;
}

TEST(dump, shows_what_call_blocks_a_fiber) {
  runtime rt({.workers = 2});
  fd_pair pipe;  // that blocks
  ASSERT_EQ(::pipe(pipe.fds), 0);
  std::atomic<int> going{0};
  const auto read_one = [&] {
    ++going;
    char c;
    EXPECT_EQ(::read(pipe[0], &c, 1), 1);
  };
  fiber outside(on(rt), read_one);
  fiber inside(on(rt), [&] { blocking(read_one); });
  std::string text;
  until([&] {
    text = dumped();
    return has(text, "running on worker [01], its thread is blocked in read; ") &&
           has(text, "inside blocking\\(\\), its thread is blocked in read for [0-9.]+ s; ");
  });
  EXPECT_TRUE(has(text, "blocked in read; [^\n]*\n    #0 ")) << text;
  ASSERT_EQ(::write(pipe[1], "xy", 2), 2);
}

TEST(dump, prints_the_cycle_of_fibers_that_join_one_another) {
  runtime rt({.workers = 2});
  fiber a;
  fiber b;
  std::atomic<bool> made{false};
  std::atomic<bool> gone{false};
  fiber_options first = on(rt);
  first.name = "a";
  fiber_options second = on(rt);
  second.name = "b";
  a = fiber(first, [&] {
    until([&] { return made.load(); });
    EXPECT_TRUE(canceled([&] { b.join(); }));
    gone = true;
  });
  b = fiber(second, [&] {
    until([&] { return made.load(); });
    a.join();
  });
  made = true;
  std::string text;
  until([&] {
    text = dumped();
    return has(text, "nothing here can wake any of them");
  });
  EXPECT_TRUE(
      has(text,
          "\na cycle of 2 fibers, none of which can go on before another:\n"
          "  fiber ([0-9]+) \"a\" waits for the end of fiber ([0-9]+)\n"
          "  fiber \\2 \"b\" waits for the end of fiber \\1\n"
          "nothing here can wake any of them: [^\n]*; only a thread outside the runtime can"))
      << text;
  EXPECT_FALSE(has(text, "a cycle of(.|\n)*a cycle of")) << "once: " << text;
  a.request_stop();
  until([&] { return gone.load(); });
  b.join();
}

TEST(dump, does_not_call_a_wait_for_a_timer_or_a_descriptor_hopeless) {
  runtime rt({.workers = 1});
  fiber sleeper(on(rt), [] { this_fiber::sleep_for(1h); });
  until_dumped("parked for [0-9.]+ s: sleep");
  EXPECT_FALSE(has(dumped(), "nothing here can wake"));
}

// It stays in the heap for a while, and the hour is not over.
TEST(dump, expects_nothing_of_a_timer_whose_wait_is_over) {
  runtime rt({.workers = 1});
  fiber sleeper(on(rt), [] { EXPECT_TRUE(canceled([] { this_fiber::sleep_for(1h); })); });
  until_dumped("parked for [0-9.]+ s: sleep");
  sleeper.request_stop();
  sleeper.join();
  event over;
  const fiber waiter(on(rt), [&] { over.wait(); });
  until_dumped("nothing here can wake any of them");
  over.set();
}

TEST(dump, follows_the_line_with_which_the_library_aborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        runtime rt({.workers = 1});
        rt.run([&] { rt.shutdown(0ns); });
      },
      "weft: fiber [0-9]+ ends its own runtime[^\n]*\n(.|\n)*fiber [0-9]+ running on worker 0; "
      "(.|\n)*\n1 fibers: 1 running\n");
}

TEST(dump, keeps_errno) {
  errno = 77;
  dump(-1);
  EXPECT_EQ(errno, 77);
}
}  // namespace
}  // namespace weft::test
