// fork_join.hpp, scope.hpp, debug.hpp
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <weft/debug.hpp>
#include <weft/fork_join.hpp>
#include <weft/scope.hpp>

#include "check.hpp"

namespace {
using namespace std::chrono_literals;

int fib(int n) {
  if (n < 2) return n;
  int a = 0;
  int b = 0;
  weft::fork_join([&] { a = fib(n - 1); }, [&] { b = fib(n - 2); });
  return a + b;
}
}  // namespace

void tasks() {
  CHECK(fib(12) == 144);
  CHECK(weft::run([] { return fib(12); }) == 144);
  weft::fork_join();
  int calls = 0;
  weft::fork_join([&] { ++calls; });
  CHECK(calls == 1);
  weft::run([] {
    std::atomic<int> ended{0};
    CHECK_THROWS(std::runtime_error, weft::fork_join([] { throw std::runtime_error("first"); },
                                                     [&] {
                                                       weft::this_fiber::sleep_for(1h);
                                                       ++ended;
                                                     },
                                                     [&] {
                                                       weft::this_fiber::sleep_for(1h);
                                                       ++ended;
                                                     }));
    CHECK(ended == 0);
  });

  const auto nursery = [] {
    std::atomic<int> sum{0};
    {
      weft::scope all;
      for (int i = 1; i <= 10; ++i) all.spawn([&sum](int n) { sum += n; }, i);
      all.spawn([&](std::stop_token stop) { sum += stop.stop_possible() ? 100 : 0; });
      all.join();
    }
    CHECK(sum == 155);
    weft::scope fails;
    fails.spawn([] { weft::this_fiber::sleep_for(1h); });
    fails.spawn([] { throw std::runtime_error("first"); });
    CHECK_THROWS(std::runtime_error, fails.join());
    weft::scope stopped;
    stopped.spawn([] { weft::this_fiber::sleep_for(1h); });
    CHECK(stopped.request_stop());
    stopped.join();
    weft::scope left;  // its destructor asks them to stop
    left.spawn([] { weft::this_fiber::sleep_for(1h); });
    CHECK_THROWS(int, [] {
      weft::scope unwound;  // nobody receives what its fiber throws
      unwound.spawn([] { throw std::runtime_error("not received"); });
      throw 1;
    }());
  };
  nursery();
  weft::run(nursery);
}

void debugging() {
  static_assert(noexcept(weft::dump(1)));
  weft::fiber sleeps({.name = "seen in a dump"}, [] { weft::this_fiber::sleep_for(1h); });
  int ends[2];
  CHECK(::pipe(ends) == 0);
  std::string text;
  std::thread reads([&] {
    char part[512];
    for (ssize_t n; (n = ::read(ends[0], part, sizeof part)) > 0;) {
      text.append(part, static_cast<std::size_t>(n));
    }
  });
  weft::dump(ends[1]);
  ::close(ends[1]);
  reads.join();
  ::close(ends[0]);
  CHECK(text.find("seen in a dump") != std::string::npos);
}
