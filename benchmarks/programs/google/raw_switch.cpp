// One switch from a stack to another, through weft's production assembly and through
// Boost.Context's. Each iteration goes there and back, so items are counted twice.
#include <benchmark/benchmark.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <vector>

namespace {

constexpr std::size_t stack_size = 64 * 1024;

void echo_fcontext(boost::context::detail::transfer_t from) {
  for (;;) from = boost::context::detail::jump_fcontext(from.fctx, nullptr);
}

void boost_fcontext(benchmark::State& state) {
  std::vector<std::byte> stack(stack_size);
  auto other = boost::context::detail::make_fcontext(stack.data() + stack.size(), stack.size(),
                                                     echo_fcontext);
  for (auto _ : state) other = boost::context::detail::jump_fcontext(other, nullptr).fctx;
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 2);
}
BENCHMARK(boost_fcontext);

}  // namespace

BENCHMARK_MAIN();
