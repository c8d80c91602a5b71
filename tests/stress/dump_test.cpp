// dump() reads fibers that run, park, end and are made anew meanwhile.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "stress/time_box.hpp"
#include "support/descriptors.hpp"

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
  while (box.open()) {
    char c = 'x';
    ASSERT_EQ(io::send(p[0], &c, 1, 0), 1);
    ASSERT_EQ(io::recv(p[0], &c, 1, 0), 1);
    fiber brief(named, [] { this_fiber::yield(); });
    if (random() % 2 == 0) this_fiber::yield();
    brief.join();
    dog.step();
  }
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
}  // namespace
}  // namespace weft::test
