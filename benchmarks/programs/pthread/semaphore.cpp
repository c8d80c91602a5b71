// Two kernel threads wake each other in turn, by a condition variable each.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "program.hpp"

namespace {

class turn {
 public:
  void release() {
    const std::lock_guard lock(mutex_);
    on_ = true;
    changed_.notify_one();
  }
  void acquire() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return on_; });
    on_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool on_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const bench::arguments args(argc, argv);
  const std::uint64_t rounds = args.number("--ops", 200'000);

  turn ping;
  turn pong;
  std::uint64_t answered = 0;
  std::thread partner([&] {
    for (std::uint64_t n = 0; n < rounds; ++n) {
      ping.acquire();
      ++answered;
      pong.release();
    }
  });
  const auto begin = bench::clock::now();
  for (std::uint64_t n = 0; n < rounds; ++n) {
    ping.release();
    pong.acquire();
  }
  const double seconds = bench::seconds_since(begin);
  partner.join();
  if (answered != rounds) bench::fail("a wake was lost");
  bench::report("pthread", "semaphore").run(2, 2, rounds, seconds).print();
}
