#pragma once
#include <condition_variable>
#include <mutex>

#include "support/fibers.hpp"

namespace weft::test {
// A kernel-level event: waiting for it blocks the kernel thread.
class kernel_gate {
 public:
  void open() {
    const std::lock_guard guard(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};
}  // namespace weft::test
