// future.hpp: as in std, whose enums are reused. With -Dlib=std the same is asked of std.
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <weft/future.hpp>

#include "check.hpp"

#ifndef lib
#define lib weft
#endif

namespace {
using namespace std::chrono_literals;
using std::future_status;
using std::chrono::steady_clock;
using std::chrono::system_clock;

template <class F>
std::error_code code_of(F&& f) {
  try {
    f();
  } catch (const std::future_error& error) {
    return error.code();
  }
  return {};
}

std::exception_ptr some_error() {
  return std::make_exception_ptr(std::runtime_error("some"));
}

void promises() {
  static_assert(std::is_nothrow_move_constructible_v<lib::promise<int>> &&
                !std::is_copy_constructible_v<lib::promise<int>>);
  static_assert(std::uses_allocator_v<lib::promise<int>, std::allocator<int>>);
  lib::promise<std::string> text;
  lib::future<std::string> result = text.get_future();
  CHECK(code_of([&] { text.get_future(); }) == std::future_errc::future_already_retrieved);
  CHECK(result.valid() && result.wait_for(1ms) == future_status::timeout);
  CHECK(result.wait_until(system_clock::now() - 1h) == future_status::timeout);
  {
    beside sets([&] { text.set_value("there"); });
    result.wait();
  }
  CHECK(result.wait_for(0s) == future_status::ready);
  CHECK(result.wait_until(steady_clock::now()) == future_status::ready);
  CHECK(result.get() == "there" && !result.valid());
  CHECK(code_of([&] { text.set_value("again"); }) == std::future_errc::promise_already_satisfied);
  lib::future<int> broken = lib::promise<int>().get_future();
  CHECK(code_of([&] { broken.get(); }) == std::future_errc::broken_promise);

  const std::string constant("constant");
  lib::promise<std::string> first(std::allocator_arg, std::allocator<char>()), second;
  first.set_value(constant);
  swap(first, second);
  first.swap(second);
  second = std::move(first);
  CHECK(second.get_future().get() == constant);

  lib::promise<int&> refers;
  int there = 0;
  refers.set_value(there);
  refers.get_future().get() = 3;
  CHECK(there == 3);
  lib::promise<void> happens;
  happens.set_value();
  happens.get_future().get();
  lib::promise<int> fails;
  fails.set_exception(some_error());
  CHECK_THROWS(std::runtime_error, fails.get_future().get());
}

void at_thread_exit() {
  lib::promise<std::string> moved, copied;
  lib::promise<int&> refers;
  lib::promise<void> happens;
  lib::promise<int> fails;
  lib::packaged_task<int(int)> task([](int n) { return n + 1; });
  lib::future<std::string> results[] = {moved.get_future(), copied.get_future()};
  auto reference = refers.get_future();
  auto event = happens.get_future();
  auto failure = fails.get_future();
  auto sum = task.get_future();
  int there = 0;
  beside ends([&] {
    moved.set_value_at_thread_exit("moved");
    const std::string constant("copied");
    copied.set_value_at_thread_exit(constant);
    refers.set_value_at_thread_exit(there);
    happens.set_value_at_thread_exit();
    fails.set_exception_at_thread_exit(some_error());
    task.make_ready_at_thread_exit(2);
    CHECK(results[0].wait_for(0s) == future_status::timeout);
    CHECK(event.wait_for(0s) == future_status::timeout);
    CHECK(sum.wait_for(0s) == future_status::timeout);
  });
  CHECK(results[0].get() == "moved" && results[1].get() == "copied");
  reference.get() = 2;
  CHECK(there == 2);
  event.get();
  CHECK_THROWS(std::runtime_error, failure.get());
  CHECK(sum.get() == 3);
}

void shared_futures() {
  lib::promise<std::string> from;
  lib::shared_future<std::string> all = from.get_future();
  lib::shared_future<std::string> copy(all), assigned;
  assigned = copy;
  lib::shared_future<std::string> moved(std::move(copy));
  CHECK(!copy.valid() && moved.valid() && assigned.valid());
  CHECK(all.wait_for(1ms) == future_status::timeout);
  {
    beside sets([&] { from.set_value("for all"); });
    beside gets([moved] { CHECK(moved.get() == "for all"); });
    all.wait();
  }
  static_assert(std::is_same_v<decltype(all.get()), const std::string&>);
  CHECK(&all.get() == &assigned.get());
  CHECK(all.wait_until(steady_clock::now()) == future_status::ready);
  lib::promise<void> happens;
  lib::shared_future<void> happened = happens.get_future().share();
  happens.set_value();
  happened.get();
  int there = 1;
  lib::promise<int&> refers;
  lib::shared_future<int&> reference(refers.get_future());
  refers.set_value(there);
  CHECK(&reference.get() == &there);
}

int twice(int n) {
  return 2 * n;
}

void tasks_in_packages() {
  lib::packaged_task<int(int)> task(twice);
  CHECK(task.valid() && !lib::packaged_task<int(int)>().valid());
  auto first = task.get_future();
  task(4);
  CHECK(first.get() == 8);
  CHECK(code_of([&] { task(1); }) == std::future_errc::promise_already_satisfied);
  task.reset();
  auto second = task.get_future();
  lib::packaged_task<int(int)> other;
  swap(task, other);
  task.swap(other);
  other = std::move(task);
  beside runs([&] { other(5); });
  CHECK(second.get() == 10);
  CHECK(code_of([&] { task.get_future(); }) == std::future_errc::no_state);
  lib::packaged_task of_function(twice);
  static_assert(std::is_same_v<decltype(of_function), lib::packaged_task<int(int)>>);
  lib::packaged_task of_object([] { throw std::runtime_error("thrown"); });
  static_assert(std::is_same_v<decltype(of_object), lib::packaged_task<void()>>);
  auto failure = of_object.get_future();
  of_object();
  CHECK_THROWS(std::runtime_error, failure.get());
}

void calls() {
  struct adder {
    int base;
    int add(int n) const { return base + n; }
  };
  int there = 0;
  CHECK(lib::async(twice, 3).get() == 6);
  CHECK(lib::async(&adder::add, adder{4}, 1).get() == 5);
  lib::async([](int& n) { n = 9; }, std::ref(there)).get();
  CHECK(there == 9);
  CHECK(*lib::async([](auto p) { return p; }, std::make_unique<int>(1)).get() == 1);
  lib::future<int> eager = lib::async(std::launch::async, twice, 1);
  auto lazy = lib::async(std::launch::deferred, twice, 2);
  CHECK(lazy.wait_for(0s) == future_status::deferred);
  CHECK(eager.get() == 2 && lazy.get() == 4);
  auto either = lib::async(std::launch::async | std::launch::deferred, twice, 3);
  CHECK(either.get() == 6);
  auto failure = lib::async([]() -> int { throw std::runtime_error("thrown"); });
  CHECK_THROWS(std::runtime_error, failure.get());
  bool done = false;
  {
    auto waits = lib::async(std::launch::async, [&] { done = true; });
  }
  CHECK(done);
}
}  // namespace

void futures() {
  promises();
  at_thread_exit();
  shared_futures();
  tasks_in_packages();
  calls();
}
