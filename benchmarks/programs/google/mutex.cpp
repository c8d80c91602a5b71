// lock() and unlock() of a mutex that nobody else wants, in a process with threads: with a single
// one std::mutex would leave out the locked instructions.
#include <benchmark/benchmark.h>

#include <latch>
#include <mutex>
#include <thread>
#include <weft/mutex.hpp>

namespace {

template <class Mutex>
void uncontended(benchmark::State& state) {
  Mutex mutex;
  for (auto _ : state) {
    mutex.lock();
    benchmark::ClobberMemory();
    mutex.unlock();
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(uncontended<weft::mutex>)->Name("weft_mutex");
BENCHMARK(uncontended<std::mutex>)->Name("std_mutex");

}  // namespace

int main(int argc, char** argv) {
  std::latch over(1);
  std::thread other([&] { over.wait(); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  over.count_down();
  other.join();
}
