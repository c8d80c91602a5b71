#pragma once
#include <coroutine>
#include <weft/detail/channel_base.hpp>
#include <weft/detail/sync_storage.hpp>

namespace weft {
class event;
}

namespace weft::detail {
class future_state_base;

// A coroutine that waits. The third kind of waiter, beside fibers and kernel threads: what waits in
// its name is a fiber that has not begun, whose function resumes it. The node, which lies in the
// coroutine's frame as others lie in theirs, belongs to the derived class.
class coroutine_wait {
 public:
  coroutine_wait(const coroutine_wait&) = delete;
  coroutine_wait& operator=(const coroutine_wait&) = delete;

 protected:
  coroutine_wait() noexcept = default;
  ~coroutine_wait() = default;
  // From await_suspend. `enqueue()` is called with the lock held, and links the node unless there
  // is nothing to wait for: false then, and the coroutine goes on where it is. True: it may be
  // resumed on a fiber from here on, and this be gone. `caller`: an address in the coroutine, for
  // dumps.
  // @throws std::system_error when no further fiber may exist; it is not suspended then
  template <class Enqueue>
  bool begin_in(const void* object, void* lock, void* node, int kind, std::coroutine_handle<> who,
                const void* caller, Enqueue&& enqueue);
  // The derived destructor's: a coroutine may be destroyed while it waits. What would resume it
  // later then does nothing. If its wait has been ended already, so that it is about to be resumed,
  // the process ends.
  void leave() noexcept {
    if (waits_) abandon();
  }
  // @throws operation_canceled: the runtime that it waited on is to end.
  void throw_if_canceled() const;
  const void* waited_for() const noexcept { return object_; }  // null: it was not

 private:
  static void run(void* closure);
  void abandon() noexcept;

  const void* object_ = nullptr;
  void* lock_ = nullptr;
  void* node_ = nullptr;
  coroutine_wait** sleeper_ = nullptr;  // the closure of the fiber that stands in for it
  std::coroutine_handle<> who_;
  bool canceled_ = false;
  bool waits_ = false;
};

// For what has its queue's lock in the table (src/queue/wait_locks.hpp).
class queued_coroutine : coroutine_wait {
 public:
  queued_coroutine() noexcept = default;
  ~queued_coroutine() { leave(); }
  // As begin_in.
  bool begin(future_state_base& state, std::coroutine_handle<> who);
  bool begin(event& of, std::coroutine_handle<> who);
  // From await_resume. @throws operation_canceled
  void end() const;

 private:
  sync_storage<5> waiter_;
};

// For a value of a channel.
class receiving_coroutine : coroutine_wait {
 public:
  explicit receiving_coroutine(channel_base& from) noexcept : from_(&from) {}
  ~receiving_coroutine() { leave(); }
  // From await_ready. Whether it need not wait: the value is there, or the channel has ended.
  bool try_now(destination to) noexcept;
  // As begin_in. The value will be there, unless the channel ends.
  bool begin(destination to, std::coroutine_handle<> who);
  // From await_resume. @throws operation_canceled, and nothing was received
  void end();

 private:
  channel_base* from_;
  bool has_waited_ = false;
  sync_storage<13> waiter_;
};
}  // namespace weft::detail
