#include <atomic>
#include <string>
#include <vector>
#include <weft/coroutine.hpp>
#include <weft/scope.hpp>
#include <weft/supervisor.hpp>
#include <weft/when.hpp>

#include "fault/steps.hpp"

// Scopes, futures, coroutines, actors: what they make that can fail.
namespace weft::test {
namespace {
using namespace std::chrono_literals;

void a_scope(findings& into) {
  std::atomic<int> ran{0};
  int spawned = 0;
  scope all;
  for (int i = 0; i < 20; ++i) {
    const bool made = step(into, [&] {
      if (i % 2 == 0) return all.spawn([&] { ++ran; });
      all.spawn([&](std::stop_token, const std::string& text) { ran += text.size() == 40; },
                std::string(40, 'x'));
    });
    if (made) ++spawned;
  }
  step(into, [&] { all.join(); });
  expect(into, "fibers of a scope that ran", ran, spawned);
}

void a_scope_that_is_stopped(findings& into) {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  int spawned = 0;
  scope all;
  for (int i = 0; i < 20; ++i) {
    const auto sleeps = [&](const std::stop_token&) {
      ++begun;
      try {
        this_fiber::sleep_for(1h);
      } catch (const operation_canceled&) {
      } catch (const std::bad_alloc&) {
      }
      ++ended;
    };
    if (step(into, [&] { all.spawn(sleeps); })) ++spawned;
  }
  // Some may get no stack before those that sleep give theirs back.
  for (int i = 0; i < 1000 && begun < spawned; ++i) this_fiber::yield();
  all.request_stop();
  step(into, [&] { all.join(); });
  expect(into, "fibers that a scope has stopped", ended, spawned);
}

void futures_of_all_kinds(findings& into) {
  step(into, [&] {
    auto first = async([] { return 1; });
    auto second = async([](const std::string& text) { return static_cast<int>(text.size()); },
                        std::string(40, 'x'));
    auto both = when_all(std::move(first), std::move(second)).get();
    expect(into, "when_all", std::get<0>(both).get() + std::get<1>(both).get(), 41);
  });
  step(into, [&] {
    std::vector<future<int>> some;
    for (int i = 0; i < 5; ++i) some.push_back(async([i] { return i; }));
    auto any = when_any(some.begin(), some.end()).get();
    expect(into, "when_any", any.futures[any.index].get(), static_cast<long>(any.index));
  });
  step(into, [&] {
    packaged_task<int(int)> twice([](int n) { return 2 * n; });
    twice(4);
    twice.reset();
    auto result = twice.get_future();
    twice(5);
    expect(into, "packaged_task", result.get(), 10);
  });
}

task<int> twice(future<int> f) {
  co_return 2 * co_await std::move(f);
}

void coroutines_that_wait(findings& into) {
  for (int i = 0; i < 5; ++i) {
    step(into, [&] {
      promise<int> from;
      scope sets;
      sets.spawn([&] {
        this_fiber::yield();
        from.set_value(i);
      });
      auto to = from.get_future();
      expect(into, "a coroutine's result", await(twice(std::move(to))), 2L * i);
      sets.join();
    });
  }
}

task<int> next_of(channel<int>& c) {
  co_return (co_await c).value_or(-1);
}

void coroutines_that_receive(findings& into) {
  for (int i = 0; i < 5; ++i) {
    step(into, [&] {
      channel<int> c;
      scope sends;
      sends.spawn([&] {
        this_fiber::yield();
        c.send(i);
      });
      expect(into, "what a coroutine receives", await(next_of(c)), i);
      sends.join();
    });
  }
}

void told_at_the_end(findings& into) {
  step(into, [&] {
    promise<int> from;
    auto to = from.get_future();
    bool stored = false;
    fiber([&] { stored = step(into, [&] { from.set_value_at_thread_exit(3); }); }).join();
    if (stored) expect(into, "what is told at the end", to.get(), 3);
  });
}

void actors_that_fail(findings& into) {
  step(into, [&] {
    supervisor keeper({.restarts = 1000});
    std::atomic<int> handled{0};
    auto& one = keeper.start<int>([&] {
      return [&](int n) {
        ++handled;
        if (n % 2 == 1) throw n;
      };
    });
    for (int i = 0; i < 10; ++i) one.send(i);
    keeper.stop();
    keeper.join();
    expect(into, "messages handled", handled, 10);
  });
}
}  // namespace

void tasks(findings& into) {
  a_scope(into);
  a_scope_that_is_stopped(into);
  futures_of_all_kinds(into);
  coroutines_that_wait(into);
  coroutines_that_receive(into);
  told_at_the_end(into);
  actors_that_fail(into);
}
}  // namespace weft::test
