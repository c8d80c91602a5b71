#pragma once
#include <coroutine>
#include <weft/detail/sync_storage.hpp>

namespace weft {
class event;
}

namespace weft::detail {
class future_state_base;

// A coroutine's place in a queue, in its frame. The third kind of waiter, beside fibers and kernel
// threads: what waits in its name is a fiber that has not begun, whose function resumes it.
class coroutine_wait {
 public:
  coroutine_wait() noexcept = default;
  coroutine_wait(const coroutine_wait&) = delete;
  coroutine_wait& operator=(const coroutine_wait&) = delete;
  // A coroutine may be destroyed while it waits: what would have resumed it then does nothing.
  ~coroutine_wait() {
    if (waits_) abandon();
  }
  // From await_suspend: from here on the coroutine may be resumed, and this be gone. It will be, on
  // a fiber; at once if there is nothing to wait for.
  // @throws std::system_error when no further fiber may exist; it is not suspended then
  void begin(future_state_base& state, std::coroutine_handle<> who);
  void begin(event& of, std::coroutine_handle<> who);
  // From await_resume. @throws operation_canceled: the runtime that it waited on is to end.
  void end() const;

 private:
  template <class Enqueue>
  void begin_in(const void* object, int kind, std::coroutine_handle<> who, Enqueue&& enqueue);
  static void run(void* closure);
  void abandon() noexcept;

  sync_storage<5> waiter_;
  const void* object_ = nullptr;
  coroutine_wait** sleeper_ = nullptr;  // the closure of the fiber that stands in for it
  std::coroutine_handle<> who_;
  bool canceled_ = false;
  bool waits_ = false;
};
}  // namespace weft::detail
