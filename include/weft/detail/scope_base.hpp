#pragma once
#include <exception>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>
#include <weft/detail/spawn.hpp>
#include <weft/detail/sync_storage.hpp>

namespace weft::detail {
// What joins a child to its scope: the first part of its closure.
struct scope_link {
  scope_link* previous;
  scope_link* next;
  control_block* block;
};

// The part of weft::scope that is in the library.
class scope_base {
 public:
  void join();
  bool request_stop() noexcept;
  bool stop_requested() const noexcept;

 protected:
  scope_base() noexcept;
  ~scope_base();
  scope_base(const scope_base&) = delete;
  scope_base& operator=(const scope_base&) = delete;

  // The child's closure is complete but for its link: from here on it may run.
  void start(control_block* block, scope_link& link, void (*invoke)(void* closure)) noexcept;

 private:
  friend struct scope_access;
  sync_storage<5> state_;
  std::exception_ptr error_;  // the first one; guarded by the lock in state_
  int unwinding_;             // std::uncaught_exceptions() when it was made
};

// Runs call(callable), which destroys the callable too, in the child's name, and leaves the scope:
// which may be gone afterwards.
void run_scoped(scope_link& link, void (*call)(void* callable), void* callable) noexcept;

template <class F>
struct scope_child {
  static constexpr std::size_t room = inline_closure - sizeof(scope_link);
  static constexpr bool fits = sizeof(F) <= room && alignof(F) <= alignof(scope_link) &&
                               std::is_nothrow_move_constructible_v<F>;
  scope_link link;
  std::conditional_t<fits, F, F*> callable;

  static void invoke(void* closure) {
    auto& me = *static_cast<scope_child*>(closure);
    if constexpr (fits) {
      run_scoped(me.link, invoke_inline<F>, &me.callable);
    } else {
      run_scoped(me.link, invoke_heap<F>, &me.callable);
    }
  }
};
}  // namespace weft::detail
