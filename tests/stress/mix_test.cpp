// Everything at once, while runtimes come and go: timed joins, cancellation, pins, blocking(),
// descriptors, exceptions, kernel threads that run fibers.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "stress/time_box.hpp"
#include "support/descriptors.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::chrono::microseconds;

class mixer {
 public:
  mixer(watchdog& dog, std::uint64_t seed, int depth) : dog_(dog), random_(seed), depth_(depth) {}

  void run() {
    for (int i = 0; i < 12; ++i) {
      dog_.step();
      step();
    }
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  void step() {
    switch (below(9)) {
      case 0:
        return this_fiber::yield();
      case 1:
        return this_fiber::sleep_for(microseconds(below(300)));
      case 2:
        return join_a_child();
      case 3:
        return join_a_child_with_deadlines();
      case 4:
        return stay_on_a_thread();
      case 5:
        if (below(4) == 0) block(3000);
        return;
      case 6:
        return read_a_socket();
      case 7:
        return detach_a_pinned_one();
      default:
        return yield_in_a_catch_block();
    }
  }

  fiber child() {
    return fiber(
        [&dog = dog_, seed = random_(), depth = depth_ + 1] { mixer(dog, seed, depth).run(); });
  }

  void join_a_child() {
    if (depth_ == 3) return;
    fiber f = child();
    if (below(2) == 0) f.request_stop();
    f.join();
  }

  void join_a_child_with_deadlines() {
    if (depth_ == 3) return;
    fiber f = child();
    for (int k = 0; k < 20 && f.joinable(); ++k) {
      try {
        const deadline_scope limit(microseconds(below(200)));
        f.join();
      } catch (const deadline_exceeded&) {
      }
    }
  }

  void block(unsigned longest) {
    blocking([this, longest] { ::usleep(below(longest)); });
  }

  void stay_on_a_thread() {
    const this_fiber::pin stay;
    const std::thread::id thread = std::this_thread::get_id();
    this_fiber::yield();
    if (below(4) == 0) block(4000);
    this_fiber::sleep_for(50us);
    EXPECT_EQ(std::this_thread::get_id(), thread);
  }

  void read_a_socket() {
    fd_pair p = make_socketpair();
    std::size_t received = 0;
    std::size_t sent = 0;
    bool canceled = false;
    {
      fiber reader([&] {
        char buffer[8];
        ssize_t n;
        while ((n = io::recv(p[0], buffer, sizeof buffer, 0)) > 0) {
          received += static_cast<std::size_t>(n);
        }
        canceled = n < 0;
      });
      if (io::send(p[1], "abc", 3, 0) == 3) sent += 3;
      if (below(2) == 0) this_fiber::yield();
      if (io::send(p[1], "d", 1, 0) == 1) sent += 1;
      const bool stop = below(3) == 0;
      if (stop) reader.request_stop();
      p.close(1);
      while (!stop && reader.joinable()) {  // to the end of the stream, whatever becomes of us
        try {
          reader.join();
        } catch (const operation_canceled&) {
          break;
        }
      }
    }
    EXPECT_TRUE(canceled || received == sent) << received << " of " << sent;
  }

  void detach_a_pinned_one() {
    fiber_options options;
    options.pinned = true;
    fiber(options, [] { this_fiber::sleep_for(100us); }).detach();
  }

  void yield_in_a_catch_block() {
    const int value = static_cast<int>(below(1000));
    try {
      throw value;
    } catch (int caught) {
      this_fiber::yield();
      EXPECT_EQ(caught, value);
    }
  }

  watchdog& dog_;
  std::mt19937_64 random_;
  int depth_;
};

TEST(stress_mix, runtimes_come_and_go) {
  std::mt19937_64 random(seed());
  const time_box box;
  watchdog dog;
  do {
    runtime rt({.workers = static_cast<unsigned>(1 + random() % 3)});
    std::vector<std::thread> threads;
    for (int k = 0; k < 2; ++k) {
      threads.emplace_back([&, own = random()]() mutable {
        for (int i = 0; i < 5; ++i) {
          rt.run([&] {
            std::vector<fiber> fibers;
            for (int j = 0; j < 6; ++j) {
              fibers.emplace_back([&dog, mine = own++] { mixer(dog, mine, 0).run(); });
            }
            if (i % 2 == 0) return;  // stopped, then joined, by the vector's destructor
            for (fiber& f : fibers) f.join();
          });
        }
      });
    }
    for (std::thread& t : threads) t.join();
  } while (box.open());
  EXPECT_GT(dog.steps(), 0);
}
}  // namespace
}  // namespace weft::test
