#pragma once
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <weft/weft.hpp>

// How long stress tests run, and who notices that one no longer gets on.
namespace weft::test {
// WEFT_STRESS_SECONDS, or two seconds.
class time_box {
 public:
  bool open() const { return std::chrono::steady_clock::now() < end_; }

 private:
  static std::chrono::duration<double> length() {
    const char* given = std::getenv("WEFT_STRESS_SECONDS");
    return std::chrono::duration<double>(given ? std::strtod(given, nullptr) : 2.0);
  }
  const std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(length());
};

// Ends the process with a dump of all fibers when steps() has not moved for `patience` seconds: a
// test that merely hung would not say where.
class watchdog {
 public:
  watchdog() : thread_([this] { watch(); }) {}
  ~watchdog() {
    done_ = true;
    thread_.join();
  }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  void step() { steps_.fetch_add(1, std::memory_order_relaxed); }
  long steps() const { return steps_.load(std::memory_order_relaxed); }

 private:
  static constexpr int patience = 20;

  void watch() {
    long last = -1;
    auto since = std::chrono::steady_clock::now();
    while (!done_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const auto now = std::chrono::steady_clock::now();
      if (steps() != last) {
        last = steps();
        since = now;
      } else if (now - since > std::chrono::seconds(patience)) {
        std::printf("no step for %d s after %ld steps\n", patience, last);
        std::fflush(stdout);
        weft::dump(STDERR_FILENO);
        std::abort();
      }
    }
  }

  std::atomic<bool> done_{false};
  std::atomic<long> steps_{0};
  std::thread thread_;  // last: uses the others
};
}  // namespace weft::test
