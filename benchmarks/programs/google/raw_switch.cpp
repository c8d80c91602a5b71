// One switch from a stack to another, through weft's production assembly and through
// Boost.Context's. Each iteration goes there and back, so it counts as two items.
#include <benchmark/benchmark.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>

#include "context/context.hpp"

namespace {

namespace detail = weft::detail;
namespace boost_detail = boost::context::detail;

struct alignas(64) stack {
  std::byte bytes[64 * 1024];
  std::byte* top() { return bytes + sizeof bytes; }
};

void count_switches(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 2);
}

// At fixed addresses, so that finding the other side costs nothing: boost_fcontext below has it in
// a register.
detail::context here;
detail::context there;

template <detail::after_fn after>
void echo_weft(void*) noexcept {
  for (;;) detail::switch_to(&there, here, after, nullptr);
}

template <detail::after_fn after>
void run_weft(benchmark::State& state) {
  static stack other;
  there = detail::prepare(other.top(), echo_weft<after>);
  for (auto _ : state) detail::switch_to(&here, there, after, nullptr);
  count_switches(state);
}

void weft_switch(benchmark::State& state) {
  run_weft<nullptr>(state);
}
BENCHMARK(weft_switch);

// As a parking fiber does it: something is done for the old side once it is off its stack.
void touch(void* arg, detail::context* from) noexcept {
  benchmark::DoNotOptimize(arg);
  benchmark::DoNotOptimize(from);
}
void weft_switch_after(benchmark::State& state) {
  run_weft<touch>(state);
}
BENCHMARK(weft_switch_after);

void echo_boost(boost_detail::transfer_t from) {
  for (;;) from = boost_detail::jump_fcontext(from.fctx, nullptr);
}

void boost_fcontext(benchmark::State& state) {
  static stack other;
  auto other_side = boost_detail::make_fcontext(other.top(), sizeof other.bytes, echo_boost);
  for (auto _ : state) other_side = boost_detail::jump_fcontext(other_side, nullptr).fctx;
  count_switches(state);
}
BENCHMARK(boost_fcontext);

}  // namespace

BENCHMARK_MAIN();
