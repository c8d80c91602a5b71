// runtime.hpp, fiber.hpp: a fiber as a std::jthread is
#include <chrono>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <system_error>
#include <unordered_set>
#include <weft/fiber.hpp>
#include <weft/runtime.hpp>

#include "check.hpp"

namespace {
using namespace std::chrono_literals;
using weft::fiber;

struct member {
  int base;
  void add(int n, int& to) const { to = base + n; }
};
}  // namespace

void runtimes() {
  weft::runtime_options options;
  CHECK(options.workers == 0 && options.stack_size == 256 * 1024);
  options.workers = 2;
  weft::runtime one(options), other({.workers = 1});
  static_assert(!std::is_convertible_v<weft::runtime_options, weft::runtime>);
  CHECK(one.workers() == 2 && other.workers() == 1);
  CHECK(one.run([](int a, int b) { return a + b; }, 1, 2) == 3);
  CHECK(*one.run([](auto p) { return p; }, std::make_unique<int>(4)) == 4);
  CHECK_THROWS(std::logic_error, one.run([] { throw std::logic_error("thrown"); }));
  CHECK(one.run([&] { return other.run([] { return on_fiber(); }); }));
  CHECK(weft::run([](int n) { return n; }, 5) == 5);
  CHECK_THROWS(std::logic_error, weft::run([] { throw std::logic_error("thrown"); }));
  const weft::runtime_stats stats = one.stats();
  CHECK(stats.workers == 2 && stats.fibers_spawned >= 3);
  CHECK_THROWS(std::system_error, weft::runtime({.workers = 100'000}));

  fiber sleeps({.on = &other}, [] { weft::this_fiber::sleep_for(1h); });
  CHECK(other.shutdown(10s));
  sleeps.join();
  fiber stays({.on = &one}, [] { weft::this_fiber::sleep_for(1h); });  // ~runtime stops it
  stays.detach();
}

void fibers() {
  static_assert(std::is_nothrow_default_constructible_v<fiber> &&
                std::is_nothrow_move_constructible_v<fiber> &&
                std::is_nothrow_move_assignable_v<fiber> && !std::is_copy_constructible_v<fiber>);
  CHECK(fiber::hardware_concurrency() >= 1);
  fiber none;
  CHECK(!none.joinable() && none.get_id() == fiber::id() && !none.request_stop());
  CHECK(!none.get_stop_token().stop_possible() && !none.get_stop_source().stop_possible());
  CHECK_THROWS(std::system_error, none.join());
  CHECK_THROWS(std::system_error, none.detach());

  int there = 0;
  fiber plain([&] { there = 1; });
  CHECK(plain.joinable() && plain.get_id() != fiber::id());
  plain.join();
  CHECK(there == 1 && !plain.joinable());
  fiber(&member::add, member{3}, 4, std::ref(there)).join();
  CHECK(there == 7);
  fiber([&](std::unique_ptr<int> p) { there = *p; }, std::make_unique<int>(2)).join();
  CHECK(there == 2);
  fiber placed([] {}, weft::source_site{"here.cpp", 1});
  bool stopped = false;
  {
    fiber asked([&](std::stop_token stop) {
      while (!stop.stop_requested()) weft::this_fiber::yield();
      stopped = true;
    });
    CHECK(asked.get_stop_token().stop_possible() && asked.get_stop_source().stop_possible());
  }
  CHECK(stopped);
  fiber one([](std::stop_token, int) {}, 3), two;
  const fiber::id id = one.get_id();
  one.swap(two);
  swap(one, two);
  two = std::move(one);
  CHECK(two.get_id() == id && !one.joinable());
  CHECK(two.request_stop() && !two.request_stop());
  std::stop_source source = two.get_stop_source();
  CHECK(source.stop_requested());
  CHECK(std::as_const(two).get_stop_token().stop_requested());
  two.join();

  weft::runtime on({.workers = 1});
  weft::fiber_options options{.name = "all of them",
                              .stack_size = 64 * 1024,
                              .on = &on,
                              .pinned = true,
                              .fp_env = true,
                              .site = weft::source_site::current()};
  fiber named(
      options, [&](int n) { there = n; }, 11);
  named.join();
  CHECK(there == 11);
  fiber alone({.name = "alone"}, [] { weft::this_fiber::yield(); });
  alone.detach();
  CHECK(!alone.joinable());

  fiber::id mine;
  fiber sees([&] {
    mine = weft::this_fiber::get_id();
    const weft::this_fiber::pin stay;
    weft::this_fiber::yield();
    weft::this_fiber::sleep_for(1us);
    weft::this_fiber::sleep_until(std::chrono::steady_clock::now() + 1us);
    weft::this_fiber::sleep_until(std::chrono::system_clock::now());
    CHECK(weft::this_fiber::get_stop_token().stop_possible());
  });
  const fiber::id its = sees.get_id();
  sees.join();
  CHECK(mine == its && mine > fiber::id() && (mine <=> its) == 0);
  std::ostringstream out;
  out << mine;
  CHECK(!out.str().empty());
  std::unordered_set<fiber::id> ids{mine, its, fiber::id()};
  CHECK(ids.size() == 2);

  // On a kernel thread: what std::this_thread does.
  CHECK(weft::this_fiber::get_id() == fiber::id());
  const weft::this_fiber::pin nothing;
  weft::this_fiber::yield();
  const auto before = std::chrono::steady_clock::now();
  weft::this_fiber::sleep_for(1ms);
  weft::this_fiber::sleep_until(before + 2ms);
  CHECK(std::chrono::steady_clock::now() >= before + 2ms);
  CHECK(!weft::this_fiber::get_stop_token().stop_possible());
}
