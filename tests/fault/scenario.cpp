#include "fault/scenario.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>
#include <weft/weft.hpp>

#include "fault/steps.hpp"

namespace weft::test {
using namespace std::chrono_literals;

void findings::tell(const char* what) noexcept {
  ++told;
  const int n = texts.load();
  for (int i = 0; i < n && i < 24; ++i) {
    if (std::strncmp(text[i], what, sizeof text[i] - 1) == 0) return;
  }
  if (const int mine = texts.fetch_add(1); mine < 24) {
    std::snprintf(text[mine], sizeof text[mine], "%s", what);
  }
}

void findings::complain(const char* what, long is, long expected) noexcept {
  if (wrong++ == 0)
    std::snprintf(fault, sizeof fault, "%s: %ld instead of %ld", what, is, expected);
}

namespace {
// What one of the many fibers does, by its number.
void one_of_many(findings& into, int i) {
  switch (i % 8) {
    case 0:
      return this_fiber::yield();
    case 1:
      step(into, [] { this_fiber::sleep_for(50us); });
      return;
    case 2:
      step(into, [] {
        try {
          throw std::runtime_error("on a fiber");
        } catch (const std::runtime_error&) {
          this_fiber::yield();
        }
      });
      return;
    case 3:
      step(into, [&] {
        int inner = 0;
        fiber child([&] { ++inner; });
        child.join();
        expect(into, "a child of a fiber ran", inner, 1);
      });
      return;
    case 4: {
      char use[6000];
      std::memset(use, i, sizeof use);
      this_fiber::yield();
      expect(into, "a fiber's own stack", use[i % 6000], static_cast<char>(i));
      return;
    }
    default:
      return;
  }
}

void many_fibers(findings& into, int count) {
  std::atomic<int> ran{0};
  int spawned = 0;
  std::vector<fiber> all;
  if (!step(into, [&] { all.reserve(static_cast<std::size_t>(count)); })) return;
  for (int i = 0; i < count; ++i) {
    fiber_options options;
    options.stack_size = stack_sizes[static_cast<std::size_t>(i) % stack_sizes.size()];
    if (i % 50 == 0) options.name = "named";
    options.pinned = i % 100 == 1;
    const bool made = step(into, [&] {
      if (i % 60 == 7) {  // a closure that does not fit into the block
        const std::array<char, 80> large{};
        all.emplace_back(options, [&into, &ran, i, large] {
          one_of_many(into, i + large[0]);
          ++ran;
        });
      } else if (i % 60 == 9) {
        all.emplace_back(options, [&into, &ran, i](const std::stop_token& token) {
          if (token.stop_requested()) into.complain("stopped, though nobody asked", 1, 0);
          one_of_many(into, i);
          ++ran;
        });
      } else {
        all.emplace_back(options, [&into, &ran, i] {
          one_of_many(into, i);
          ++ran;
        });
      }
    });
    if (made) ++spawned;
  }
  for (fiber& f : all) step(into, [&] { f.join(); });
  expect(into, "fibers that ran", ran, spawned);
}

// A fiber that was stopped while it slept.
void stop_one(findings& into) {
  step(into, [&] {
    fiber sleeper([&] {
      try {
        this_fiber::sleep_for(1h);
        into.complain("slept for an hour", 1, 0);
      } catch (const std::bad_alloc&) {
        into.tell("std::bad_alloc: memory");
      }
    });
    this_fiber::yield();
    sleeper.request_stop();
    sleeper.join();
  });
}

void block_the_thread(findings& into) {
  std::vector<fiber> all;
  int ran = 0;
  std::atomic<int> ended{0};
  step(into, [&] {
    all.reserve(callers_of_blocking);
    for (int i = 0; i < callers_of_blocking; ++i) {
      all.emplace_back([&] {
        blocking([] { std::this_thread::sleep_for(4ms); });
        ++ended;
      });
      ++ran;
    }
  });
  for (fiber& f : all) step(into, [&] { f.join(); });
  expect(into, "callers of blocking that came back", ended, ran);
}

void from_a_kernel_thread(findings& into, runtime& rt) {
  try {
    std::thread([&] {
      step(into, [&] { expect(into, "run", rt.run([] { return 7; }), 7); });
      step(into, [&] {
        fiber_options options;
        options.on = &rt;
        fiber f(options, [] { this_fiber::yield(); });
      });
      step(into, [] { this_fiber::sleep_for(10us); });
    }).join();
  } catch (const std::exception& error) {  // no thread: not ours to report
    ++into.told;
  }
}

// Its first wait is a destructor's, which cannot tell that there is nothing to wait with.
void a_scope_of_a_kernel_thread(findings& into) {
  try {
    std::thread([&] {
      std::atomic<bool> leaves{false};
      std::atomic<bool> ran{false};
      bool made = false;
      {
        scope all;
        made = step(into, [&] {
          all.spawn([&] {
            while (!leaves) this_fiber::yield();
            for (int i = 0; i < 1000; ++i) this_fiber::yield();
            ran = true;
          });
        });
        leaves = true;
      }
      expect(into, "a fiber of a kernel thread's scope ran", ran, made);
    }).join();
  } catch (const std::exception& error) {  // no thread: not ours to report
    ++into.told;
  }
}

void everything_on(findings& into, runtime& rt, int fibers) {
  step(into, [&] {
    rt.run([&] {
      many_fibers(into, fibers);
      stop_one(into);
      over_a_socketpair(into);
      over_a_pipe(into);
      over_tcp(into, "127.0.0.1");
      over_tcp(into, "localhost");
      tasks(into);
      block_the_thread(into);
    });
  });
  step(into, [&] {
    int caught = 0;
    try {
      rt.run([] { throw std::range_error("to be caught by who runs"); });
    } catch (const std::range_error&) {
      caught = 1;
    }
    expect(into, "exceptions that came back from run", caught, 1);
  });
  from_a_kernel_thread(into, rt);
}
}  // namespace

void run_scenario(findings& into, int fibers) {
  step(into, [&] {
    runtime rt({.workers = 2});
    everything_on(into, rt, fibers);
    step(into, [&] {
      runtime other({.workers = 1, .stack_size = 32 * 1024});
      other.run([&] { many_fibers(into, 30); });
    });
  });
  step(into, [&] { expect(into, "run on the default runtime", run([] { return 5; }), 5); });
  a_scope_of_a_kernel_thread(into);
}
}  // namespace weft::test
