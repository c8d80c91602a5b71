#pragma once
#include <cstdint>

#include "base/clock.hpp"
#include "io/fd_table.hpp"
#include "queue/task_list.hpp"
#include "sched/core.hpp"

// The epoll instance of a runtime and the eventfd that interrupts it.
namespace weft::detail {
class poller {
 public:
  // Throws std::system_error naming the limit.
  explicit poller(const runtime_core* core);
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  // The entry's lock is held, a waiter is linked: makes sure that an edge will come. 0 or an errno;
  // EPERM: epoll does not take such descriptors, they are always ready.
  int arm_locked(fd_entry& entry, int fd) noexcept;

  // Any thread. Blocks until `until` at most; 0: only looks. Fibers whose wait ended go to `ready`.
  void poll(nanos until, task_list<control_block>& ready) noexcept;
  // Any thread: a poll() that blocks, now or next, returns.
  void kick() noexcept;
  bool used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  int control(int operation, fd_entry& entry, int fd, std::uint32_t events) noexcept;
  void deliver(std::uint64_t data, std::uint32_t events, task_list<control_block>& ready) noexcept;

  const runtime_core* core_;
  int epoll_ = -1;
  int kick_ = -1;
  std::uint64_t id_;
  atomic<bool> used_{false};
};

// Ends the waits of one direction; entry lock held. Waiters are fibers (threads sleep in poll).
// Those of `core`, or all if that is null, go to `ready`, others are made ready at once.
void wake_waiters_locked(fd_direction& side, wake_reason reason, const runtime_core* core,
                         task_list<control_block>& ready) noexcept;
}  // namespace weft::detail
