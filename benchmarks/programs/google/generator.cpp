// A sequence, element by element: weft's generator and context, Boost.Coroutine2, and a bare
// coroutine of C++20, which has no stack: the compiler sees all of it, and may leave out the
// resume. And the same from the depth of a recursion, where the stackless one needs a coroutine for
// each level.
#include <benchmark/benchmark.h>

#include <boost/coroutine2/coroutine.hpp>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>
#include <weft/context.hpp>
#include <weft/generator.hpp>
#include <weft/runtime.hpp>

namespace {
using number = std::int64_t;

// The least that a generator of coroutines is made of. Nested ones are resumed through every level.
class stackless {
 public:
  struct promise_type {
    number value = 0;
    stackless get_return_object() {
      return stackless(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(number n) noexcept {
      value = n;
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
  stackless(stackless&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  stackless& operator=(stackless&&) = delete;
  ~stackless() {
    if (handle_) handle_.destroy();
  }
  std::optional<number> next() {
    handle_.resume();
    if (handle_.done()) return std::nullopt;
    return handle_.promise().value;
  }

 private:
  explicit stackless(std::coroutine_handle<promise_type> of) : handle_(of) {}
  std::coroutine_handle<promise_type> handle_;
};

void count_elements(benchmark::State& state, number sum) {
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

[[gnu::noinline]] stackless endless_stackless() {
  for (number n = 0;; ++n) co_yield n;
}
void stackless_coroutine(benchmark::State& state) {
  stackless all = endless_stackless();
  number sum = 0;
  for (auto _ : state) sum += *all.next();
  count_elements(state, sum);
}
BENCHMARK(stackless_coroutine);

void elements_of_weft(benchmark::State& state) {
  weft::generator<number> all([](auto& yield) {
    for (number n = 0;; ++n) yield(n);
  });
  number sum = 0;
  auto i = all.begin();
  for (auto _ : state) {
    sum += *i;
    ++i;
  }
  count_elements(state, sum);
}
void weft_generator(benchmark::State& state) {
  elements_of_weft(state);
}
BENCHMARK(weft_generator);

void weft_generator_on_a_fiber(benchmark::State& state) {
  weft::runtime rt({.workers = 1});
  rt.run([&] { elements_of_weft(state); });
}
BENCHMARK(weft_generator_on_a_fiber);

void weft_context(benchmark::State& state) {
  weft::context<number> all([](auto& yield) {
    for (number n = 0;; ++n) yield(n);
  });
  number sum = 0;
  for (auto _ : state) sum += *all.resume();
  count_elements(state, sum);
}
BENCHMARK(weft_context);

void boost_coroutine2(benchmark::State& state) {
  boost::coroutines2::coroutine<number>::pull_type all([](auto& yield) {
    for (number n = 0;; ++n) yield(n);
  });
  number sum = 0;
  for (auto _ : state) {
    sum += all.get();
    all();
  }
  count_elements(state, sum);
}
BENCHMARK(boost_coroutine2);

// The numbers of a tree of that depth, in order, over and over.
template <class Yield>
void walk(Yield& yield, int depth, number at) {
  if (depth == 0) return;
  walk(yield, depth - 1, 2 * at);
  yield(at);
  walk(yield, depth - 1, 2 * at + 1);
}
constexpr int tree_depth = 12;

void weft_tree(benchmark::State& state) {
  weft::generator<number> all([](auto& yield) {
    for (;;) walk(yield, tree_depth, 1);
  });
  number sum = 0;
  auto i = all.begin();
  for (auto _ : state) {
    sum += *i;
    ++i;
  }
  count_elements(state, sum);
}
BENCHMARK(weft_tree);

void boost_tree(benchmark::State& state) {
  boost::coroutines2::coroutine<number>::pull_type all([](auto& yield) {
    for (;;) walk(yield, tree_depth, 1);
  });
  number sum = 0;
  for (auto _ : state) {
    sum += all.get();
    all();
  }
  count_elements(state, sum);
}
BENCHMARK(boost_tree);

[[gnu::noinline]] stackless stackless_walk(int depth, number at) {
  if (depth == 0) co_return;
  for (stackless left = stackless_walk(depth - 1, 2 * at); auto n = left.next();) co_yield *n;
  co_yield at;
  for (stackless right = stackless_walk(depth - 1, 2 * at + 1); auto n = right.next();) co_yield *n;
}
[[gnu::noinline]] stackless endless_walk() {
  for (;;) {
    for (stackless one = stackless_walk(tree_depth, 1); auto n = one.next();) co_yield *n;
  }
}
void stackless_tree(benchmark::State& state) {
  stackless all = endless_walk();
  number sum = 0;
  for (auto _ : state) sum += *all.next();
  count_elements(state, sum);
}
BENCHMARK(stackless_tree);

void weft_made_and_ended(benchmark::State& state) {
  weft::runtime rt({.workers = 1});
  rt.run([&] {
    for (auto _ : state) {
      weft::context<number> one([](auto& yield) { yield(1); });
      benchmark::DoNotOptimize(*one.resume());
      one.resume();
    }
  });
  count_elements(state, 0);
}
BENCHMARK(weft_made_and_ended);

void weft_made_and_ended_on_a_thread(benchmark::State& state) {
  for (auto _ : state) {
    weft::context<number> one([](auto& yield) { yield(1); });
    benchmark::DoNotOptimize(*one.resume());
    one.resume();
  }
  count_elements(state, 0);
}
BENCHMARK(weft_made_and_ended_on_a_thread);

void boost_made_and_ended(benchmark::State& state) {
  for (auto _ : state) {
    boost::coroutines2::coroutine<number>::pull_type one([](auto& yield) { yield(1); });
    benchmark::DoNotOptimize(one.get());
    one();
  }
  count_elements(state, 0);
}
BENCHMARK(boost_made_and_ended);
}  // namespace

BENCHMARK_MAIN();
