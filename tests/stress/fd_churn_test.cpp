// Descriptors are closed and opened again under the same numbers while fibers wait on them, on
// duplicates of them, and several on one. Whoever waits gets what was written for it, or EBADF when
// its own descriptor was closed, and nothing else. WEFT_REOPENS sets how many; ./dev soak asks for
// more.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "stress/time_box.hpp"
#include "support/descriptors.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
// What a reader came back with.
struct outcome {
  long tag = 0;
  long result = 0;
  int error = 0;
};

enum class way { read, wait_readable, poll };

void await(int fd, way how, outcome& out) {
  switch (how) {
    case way::read:
      out.result = io::read(fd, &out.tag, sizeof out.tag);
      break;
    case way::wait_readable:
      // A wake for nothing would find nothing here.
      out.result = io::wait_readable(fd) ? ::recv(fd, &out.tag, sizeof out.tag, MSG_DONTWAIT) : -1;
      break;
    case way::poll: {
      pollfd one{fd, POLLIN, 0};
      out.result = io::poll(&one, 1, -1);
      if (out.result == 1 && (one.revents & POLLNVAL) != 0) {
        out.result = -1;
        errno = EBADF;
      }
      if (out.result == 1) out.result = ::recv(fd, &out.tag, sizeof out.tag, MSG_DONTWAIT);
      break;
    }
  }
  out.error = out.result < 0 ? errno : 0;
}

// On a runtime of one worker: when reader::start returns, the reader is parked. So it is known
// whether it waited for this descriptor or for the next one under its number.
class churn {
 public:
  explicit churn(std::uint64_t from, watchdog& dog) : random_(from), dog_(dog) {}

  // One descriptor's life; how many were closed.
  int live_and_die() {
    dog_.step();
    fd_pair p = make_socketpair();
    switch (random_.below(5)) {
      case 0:
        return write_to_one(p);
      case 1:
        return close_under_one(p);
      case 2:
        return close_under_many(p);
      case 3:
        return close_beside_a_duplicate(p);
      default:
        return write_to_many(p);
    }
  }

 private:
  struct reader {
    outcome out;
    fiber running;
    void start(int fd, way how) {
      bool begun = false;
      running = fiber([this, fd, how, &begun] {
        begun = true;
        await(fd, how, out);
      });
      until([&] { return begun; });
    }
    void expect_tag(long tag) {
      running.join();
      EXPECT_EQ(out.result, static_cast<long>(sizeof tag)) << out.error;
      EXPECT_EQ(out.tag, tag) << "another's";
    }
    void expect_closed() {
      running.join();
      EXPECT_EQ(out.result, -1) << out.tag;
      EXPECT_EQ(out.error, EBADF);
    }
  };

  way any_way() { return static_cast<way>(random_.below(3)); }
  long fresh_tag() { return static_cast<long>(random_.below(1u << 30)) << 20 | ++tags_; }
  void send(int fd, long tag) { EXPECT_EQ(io::write(fd, &tag, sizeof tag), 8); }

  int write_to_one(fd_pair& p) {
    reader r;
    r.start(p[0], any_way());
    const long tag = fresh_tag();
    send(p[1], tag);
    r.expect_tag(tag);
    return 2;
  }

  int close_under_one(fd_pair& p) {
    reader r;
    r.start(p[0], any_way());
    p.close(0);
    fd_pair next = make_socketpair();  // most likely under the same number
    r.expect_closed();
    return 4;
  }

  // Shared: all are told.
  int close_under_many(fd_pair& p) {
    std::array<reader, 3> readers;
    for (reader& r : readers) r.start(p[0], any_way());
    p.close(0);
    fd_pair next = make_socketpair();
    for (reader& r : readers) r.expect_closed();
    return 4;
  }

  // A duplicate is a descriptor of its own: closing the first leaves it alone.
  int close_beside_a_duplicate(fd_pair& p) {
    const int duplicate = ::dup(p[0]);
    EXPECT_GE(duplicate, 0);
    if (random_.one_in(2)) io::adopt(duplicate);
    reader first;
    reader second;
    first.start(p[0], any_way());
    second.start(duplicate, any_way());
    p.close(0);
    first.expect_closed();
    fd_pair next = make_socketpair();
    reader other;
    other.start(next[0], any_way());
    const long a = fresh_tag();
    const long b = fresh_tag();
    send(p[1], a);
    second.expect_tag(a);
    send(next[1], b);
    other.expect_tag(b);
    io::close(duplicate);
    return 5;
  }

  // As many messages as readers; who gets which is not said.
  int write_to_many(fd_pair& p) {
    std::array<reader, 3> readers;
    for (reader& r : readers) r.start(p[0], way::read);
    long sum = 0;
    for (std::size_t i = 0; i < readers.size(); ++i) {
      const long tag = fresh_tag();
      sum += tag;
      send(p[1], tag);
      if (random_.one_in(2)) this_fiber::yield();
    }
    for (reader& r : readers) {
      r.running.join();
      EXPECT_EQ(r.out.result, 8) << r.out.error;
      sum -= r.out.tag;
    }
    EXPECT_EQ(sum, 0);
    return 2;
  }

  choices random_;
  watchdog& dog_;
  long tags_ = 0;
};

// Two runtimes in one process use the same numbers in turn.
TEST(fd_churn, waiters_get_what_is_theirs) {
  const auto reopens = static_cast<long>(amount("WEFT_REOPENS", 100'000));
  choices random(seed());
  watchdog dog;
  std::atomic<long> closed{0};
  const auto work = [&](std::uint64_t from) {
    runtime rt({.workers = 1});
    rt.run([&] {
      std::vector<fiber> fibers;
      for (unsigned i = 0; i < 4; ++i) {
        fibers.emplace_back([&, i] {
          churn mine(from + i, dog);
          while (closed < reopens && !testing::Test::HasFailure()) closed += mine.live_and_die();
        });
      }
      for (fiber& f : fibers) f.join();
    });
  };
  const std::uint64_t from = random.below(1u << 30);
  std::thread other(work, from + 100);
  work(from);
  other.join();
  std::printf("%ld descriptors closed\n", closed.load());
}
}  // namespace
}  // namespace weft::test
