// dump() reads fibers that run, park, end and are made anew meanwhile.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>
#include <weft/testing.hpp>

#include "stress/time_box.hpp"
#include "support/chaotic.hpp"
#include "support/descriptors.hpp"
#include "support/dumps.hpp"
#include "support/sanitizer.hpp"
#include "support/stacks.hpp"

namespace weft::test {
namespace {
void echo(int fd) {
  char c;
  while (io::recv(fd, &c, 1, 0) == 1 && c != 'q') io::send(fd, &c, 1, 0);
}

void talk(const time_box& box, watchdog& dog, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const fd_pair p = make_socketpair(SOCK_DGRAM);
  fiber peer([&] { echo(p[1]); });
  fiber_options named;
  named.name = "short-lived";
  do {
    char c = 'x';
    ASSERT_EQ(io::send(p[0], &c, 1, 0), 1);
    ASSERT_EQ(io::recv(p[0], &c, 1, 0), 1);
    fiber brief(named, [] { this_fiber::yield(); });
    if (random() % 2 == 0) this_fiber::yield();
    brief.join();
    dog.step();
  } while (box.open());
  ASSERT_EQ(io::send(p[0], "q", 1, 0), 1);
  peer.join();
}

TEST(stress_dump, of_fibers_that_go_on) {
  const std::uint64_t base = seed();
  const time_box box;
  watchdog dog;
  runtime rt({.workers = 2});
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ASSERT_GE(nowhere, 0);
  std::atomic<bool> stop{false};
  std::thread dumper([&] {
    while (!stop) weft::dump(nowhere);
  });
  rt.run([&] {
    std::vector<fiber> fibers;
    for (std::uint64_t i = 0; i < 4; ++i) {
      fibers.emplace_back([&, i] { talk(box, dog, base + i); });
    }
    for (fiber& f : fibers) f.join();
  });
  stop = true;
  dumper.join();
  ::close(nowhere);
  EXPECT_GT(dog.steps(), 0);
}

// What a line of a dump may be.
bool is_line(const std::string& line) {
  static const std::regex known(
      "    #[0-9]+ ((/[^ ]+|\\[[a-z]+\\])\\+)?0x[0-9a-f]+( [A-Za-z_][^ ]*)?( \\(perhaps\\))?(, and "
      "[0-9]+ more of "
      "the same)?"
      "|(fiber [0-9]+( \"[a-z-]+\")?|[0-9]+ fibers) (not begun|ready|parked|running|inside).*; "
      "spawned at (an unknown place|[^ ]+)"
      "|  fiber [0-9]+( \"[a-z-]+\")?( for .*)?"
      "|  and [0-9]+ more, the last fiber [0-9]+"
      "|[0-9]+ fibers(: .*)?");
  return std::regex_match(line, known);
}

void expect_whole_lines(const std::string& text) {
  ASSERT_EQ(text.back(), '\n');
  std::size_t wrong = 0;
  for (std::size_t at = 0, end = 0; at < text.size() && wrong < 5; at = end + 1) {
    end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (is_line(line)) continue;
    ++wrong;
    ADD_FAILURE() << line;
  }
}

// 10,000 fibers that wake one another, and two threads that dump to one pipe meanwhile.
TEST(stress_dump, of_many_fibers_under_load_tears_no_line) {
  const time_box box;
  watchdog dog;
  runtime rt({.workers = 4});
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  std::string all;
  std::thread reader([&] {
    char part[65536];
    for (ssize_t n; (n = ::read(pipe[0], part, sizeof part)) > 0;) {
      if (all.size() < 4'000'000) all.append(part, static_cast<std::size_t>(n));
    }
  });
  std::atomic<bool> stop{false};
  std::atomic<int> dumps{0};
  const auto dump_all = [&] {
    for (; !stop; ++dumps) weft::dump(pipe[1]);
  };
  std::thread first(dump_all);
  std::thread second(dump_all);
  rt.run([&] {
    std::vector<fiber> fibers;
    fiber_options named;
    named.name = "restless";
    for (int i = 0; i < 10'000; ++i) {
      fibers.emplace_back(named, [&, i] {
        while (box.open() || dumps < 4) {
          fiber child([] { this_fiber::yield(); });
          if (i % 3 == 0) this_fiber::sleep_for(std::chrono::microseconds(i));
          child.join();
          dog.step();
        }
      });
    }
    for (fiber& f : fibers) f.join();
  });
  stop = true;
  first.join();
  second.join();
  ::close(pipe[1]);
  reader.join();
  ::close(pipe[0]);
  EXPECT_GE(dumps, 4);
  all.resize(all.rfind('\n') + 1);
  expect_whole_lines(all);
}

TEST(stress_dump, of_a_hundred_thousand_equal_fibers_is_short) {
  // LeakSanitizer looks at each stack when the process ends; chaos mode has many seeds.
  const std::size_t count = sanitized || chaotic() ? 10'000 : fibers_at_once(100'000);
  const std::string parked = std::to_string(count);
  runtime rt({.workers = 2, .stack_size = 16 << 10});
  std::string text;
  rt.run([&] {
    std::vector<fiber> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      all.emplace_back([] { this_fiber::sleep_for(std::chrono::hours(1)); });
    }
    until_parked(rt, count);  // nearly
    until([&] {
      text = dumped();
      return text.ends_with(" fibers: 1 running, " + parked + " parked\n");
    });
  });
  EXPECT_TRUE(has(text, "(^|\n)" + parked + " fibers parked for [^\n]*: sleep; spawned at "))
      << text;
  EXPECT_LT(text.size(), 20'000u) << text;  // a line each would be a hundred times as much
}

// Cores are taken apart, and blocking() is entered after other waits, while dumps look at them.
TEST(stress_dump, of_runs_and_runtimes_that_end) {
  const time_box box;
  watchdog dog;
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ASSERT_GE(nowhere, 0);
  std::atomic<bool> stop{false};
  std::thread dumper([&] {
    while (!stop) weft::dump(nowhere);
  });
  do {
    std::thread([] {
      testing::explore([] { fiber([] { this_fiber::sleep_for(std::chrono::hours(1)); }).join(); },
                       1);
      runtime rt({.workers = 1});
      rt.run([] { blocking([] {}); });
    }).join();
    dog.step();
  } while (box.open());
  stop = true;
  dumper.join();
  ::close(nowhere);
  EXPECT_GT(dog.steps(), 0);
}
}  // namespace
}  // namespace weft::test
