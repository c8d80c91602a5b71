#pragma once
#include "park/wait_list.hpp"
#include "queue/wait_locks.hpp"
#include "sync/self.hpp"
#include "time/timed_park.hpp"

namespace weft::detail {
// For destructors: ends the process with a line if somebody waits for the object, unless nobody
// will run any more who does, because the process exits or is a forked child.
void check_unused(const void* object, spin_lock& lock, const wait_list& queue,
                  const char* what) noexcept;
inline void check_unused(const void* object, const wait_list& queue, const char* what) noexcept {
  check_unused(object, queue_lock(object), queue, what);
}
// The same if somebody, `owner`, holds it.
void check_unowned(const void* object, owner_id owner, const char* what) noexcept;
void check_no_readers(const void* object, std::uint64_t readers, const char* what) noexcept;

// One wait in the queue of one object: the frame of the waiter.
//
// `enqueue(waiter&)` runs with the queue's lock held and nobody on the waiter's stack: it looks
// again whether a wait is needed, and either links the node and returns true, or arranges that none
// is (takes what was waited for) and returns false.
template <class Enqueue>
class queued_wait {
 public:
  queued_wait(const void* object, waiter& node, Enqueue enqueue) noexcept
      : object_(object), node_(node), enqueue_(enqueue) {}

  // A cancellation point's, without the entry's check.
  wait_end cancellable(wait_kind kind, nanos deadline = never) {
    return ended(wait(kind, object_, deadline, publish, this));
  }
  // Ended by nothing but wakers and `deadline`.
  wait_end plain(wait_kind kind, nanos deadline = never) {
    return ended(wait_plainly(kind, object_, deadline, publish, this));
  }
  // Ended by nothing but wakers and a stop requested of the fiber, for those who pass it on.
  wait_end until_stopped(wait_kind kind) {
    const wake_reason end = park(kind, object_, cancellable_on(current()), publish, this);
    return ended(end == wake_reason::cancel ? wait_end::cancelled : wait_end::woken);
  }

 private:
  static void publish(control_block* parked, void* arg) noexcept {
    auto& me = *static_cast<queued_wait*>(arg);
    const wait_token token{parked, parked->word.epoch()};
    {
      const spin_guard guard(queue_lock(me.object_));
      me.node_.token = token;
      if (me.enqueue_(me.node_)) return;  // and the frame may be gone
    }
    end_unneeded(token);
  }

  wait_end ended(wait_end end) noexcept {
    if (end == wait_end::woken) return end;
    const spin_guard guard(queue_lock(object_));
    if (node_.linked) wait_list::erase(node_);
    return end;
  }

  const void* object_;
  waiter& node_;
  Enqueue enqueue_;
};

// A cancellation point's wait, behind the look on entry, in the queue of `object`, whose wakers
// order what came before by order_release(object).
template <class Object, class Enqueue>
wait_end wait_cancellably(Object* object, wait_kind kind, nanos deadline, Enqueue enqueue) {
  waiter node;
  queued_wait wait(object, node, enqueue);
  const wait_end end = wait.cancellable(kind, deadline);
  if (end == wait_end::woken) order_acquire(object);  // pairs with the waker's
  return end;
}
}  // namespace weft::detail
