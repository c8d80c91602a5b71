#pragma once
#include "park/wait_list.hpp"
#include "sync/mutex_core.hpp"

// Those who wait to be notified: the queue of a condition variable.
//
// With our own mutex a waiter is linked, and its mutex released, when it is off its stack, with
// both queues' locks held: a notification that comes after the release finds it, and one that finds
// it finds the mutex released, so that a waiter that runs at once does not meet its own former
// ownership. See condition_any for locks of the user's.
//
// END. A notification's last touch of the queue comes before its first claim, and who waits touches
// nothing but its own frame once it has been taken out. So it may be destroyed when all have been
// notified.
namespace weft::detail {
class condition_core {
 public:
  // `me` owns the mutex, and does again afterwards. False: `deadline` passed before a notification.
  // May throw std::bad_alloc before anything has happened.
  bool wait(mutex_core& mutex, owner_id me, nanos deadline);
  void notify_one() noexcept;
  void notify_all() noexcept;
  // For destructors.
  void end(const char* what) noexcept;

  wait_list& queue() noexcept { return queue_; }

 private:
  wait_list queue_;
};

// One wait with any lock. To release that may park, so it cannot be released in the function that
// publishes the wait. The waiter links itself first, without a token, while it holds the lock, and
// looks when it parks whether it has been taken out since: then it has been notified. So no
// notification that comes after the release of the lock is missed.
class condition_any_wait {
 public:
  void link(condition_core&) noexcept;
  // Once. False: the deadline passed before a notification.
  bool park(nanos deadline);
  // Any thread, while it lives. Not a scheduling point: it is called in stop callbacks.
  void notify() noexcept;
  // Last.
  void unlink() noexcept;

 private:
  static void publish(control_block* parked, void* arg) noexcept;

  waiter node_;
  wait_list* queue_ = nullptr;
};
}  // namespace weft::detail
