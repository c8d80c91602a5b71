#pragma once
#include "park/wait_list.hpp"
#include "queue/task_list.hpp"

namespace weft::detail {
// Those whose waits a waker has claimed under a queue's lock, to be made ready when it is released.
// Fibers are the waker's own until then, and link through their blocks; a kernel thread goes on by
// itself as soon as it is claimed, so it cannot link anything, and there is an end to them here.
class wake_batch {
 public:
  wake_batch() noexcept = default;
  wake_batch(const wake_batch&) = delete;
  wake_batch& operator=(const wake_batch&) = delete;
  ~wake_batch() { wake(); }

  // The lock is held.
  void add(claimed_wait woken) noexcept {
    if (woken.thread) {
      threads_[thread_count_++] = woken;
    } else {
      fibers_.push_back(woken.block);
    }
  }
  bool full() const noexcept {
    return thread_count_ == most_threads || fibers_.count >= most_fibers;
  }
  // The lock is released. A lone fiber runs next on this processor, several go behind what is
  // queued.
  void wake() noexcept;

 private:
  static constexpr std::uint32_t most_threads = 16;
  static constexpr std::size_t most_fibers = 128;  // claimed in one go, with the lock held

  task_list<control_block> fibers_;
  claimed_wait threads_[most_threads];
  std::uint32_t thread_count_ = 0;
};

// The waiters of `taken`, a list of the caller's own: `lock`, which is held, is that of the queue
// they were taken from, and those that time out meanwhile leave under it. Unlocks.
void wake_taken(spin_lock& lock, wait_list& taken) noexcept;
// Wakes all that are linked now, and nobody who comes later. Behind the first claim the queue is
// not touched any more.
inline void wake_all(spin_lock& lock, wait_list& queue) noexcept {
  lock.lock();
  wait_list taken;
  taken.take(queue);
  wake_taken(lock, taken);
}
}  // namespace weft::detail
