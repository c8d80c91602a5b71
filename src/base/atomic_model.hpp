// The atomics facade under the model checker (Relacy): included by base/atomic.hpp when WEFT_MODEL
// is defined, and by nothing else. Production headers compile against it unchanged.
//
// It adds one thing to a plain forwarding: every place in the source that asks for an order
// stronger than relaxed is entered in a table, and one entry at a time can be weakened. A model
// then shows two things: that the orders as written suffice, and, by failing for each weakened one,
// that it would have noticed if they did not.
//
// What Relacy (2019) does not show: a load sees the newest or the second newest value only (random
// search: the third); release sequences are C++11's, longer than C++20's. Do not lean on the
// latter.
#pragma once

#include "base/model_checker.hpp"

namespace weft::detail {

namespace model {
// Of an atomic around which no order of events is to be tried, to keep a search short. What makes
// that sound is checked: a `constant` one is not written any more, an `unread` one never read. Of a
// `statistic` every load sees the newest value: what it decides is when something is done, not
// whether.
enum class stillness : char { none, constant, unread, statistic };

// Set by a model when all that it looks at has happened: the rest runs in one order.
inline bool over = false;

class without_preemption {
 public:
  explicit without_preemption(bool still) noexcept : still_(still || over) {
    if (still_) rl::ctx().disable_preemption();
  }
  ~without_preemption() {
    if (still_) rl::ctx().enable_preemption();
  }

 private:
  bool still_;
};
}  // namespace model

template <class T>
class atomic {
  // Relacy prints values in its histories, which it cannot for an enum class.
  using stored = typename std::conditional_t<std::is_enum_v<T>, std::underlying_type<T>,
                                             std::type_identity<T>>::type;
  using place = model::place;
  using op = model::operation;

 public:
  using value_type = T;

  atomic() noexcept : atomic(T{}) {}
  // A global is constructed before there is a checker; model::renew() does it for each
  // interleaving.
  atomic(T value) noexcept : made_(rl::is_ctx()) {
    if (made_) ::new (&value_) rl::atomic<stored>(static_cast<stored>(value));
  }
  ~atomic() {
    using checked_atomic = rl::atomic<stored>;
    // At the process's exit there is no checker any more, and release() has been here.
    if (made_ && rl::is_ctx()) value_.~checked_atomic();
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  void hold_still(model::stillness how) noexcept { still_ = how; }

  T load(std::memory_order order, place at = place::current()) const noexcept {
    const model::without_preemption step(reads());
    if (still_ == model::stillness::statistic) {
      auto& newest = const_cast<rl::atomic<stored>&>(value_);
      stored seen = newest.load(rl::mo_relaxed, model::info(at));
      while (!newest.compare_exchange(rl::bool_t<false>(), seen, seen, rl::mo_relaxed,
                                      rl::mo_relaxed, model::info(at))) {
      }
      return static_cast<T>(seen);
    }
    return static_cast<T>(value_.load(ask(order, op::load, at), model::info(at)));
  }

  void store(T value, std::memory_order order, place at = place::current()) noexcept {
    const model::without_preemption step(writes());
    value_.store(static_cast<stored>(value), ask(order, op::store, at), model::info(at));
  }

  T exchange(T value, std::memory_order order, place at = place::current()) noexcept {
    const model::without_preemption step(writes());
    return static_cast<T>(value_.exchange(static_cast<stored>(value),
                                          ask(order, op::read_modify_write, at), model::info(at)));
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure, place at = place::current()) noexcept {
    return exchange_if(rl::bool_t<false>(), expected, desired, success, failure, at);
  }

  // May fail spuriously, as the hardware's does on AArch64: both outcomes are tried.
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure, place at = place::current()) noexcept {
    return exchange_if(rl::bool_t<true>(), expected, desired, success, failure, at);
  }

  T fetch_add(T by, std::memory_order order, place at = place::current()) noexcept {
    const model::without_preemption step(writes());
    return value_.fetch_add(by, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_sub(T by, std::memory_order order, place at = place::current()) noexcept {
    const model::without_preemption step(writes());
    return value_.fetch_sub(by, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_or(T bits, std::memory_order order, place at = place::current()) noexcept {
    const model::without_preemption step(writes());
    return value_.fetch_or(bits, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_and(T bits, std::memory_order order, place at = place::current()) noexcept {
    const model::without_preemption step(writes());
    return value_.fetch_and(bits, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_xor(T bits, std::memory_order order, place at = place::current()) noexcept {
    const model::without_preemption step(writes());
    return value_.fetch_xor(bits, ask(order, op::read_modify_write, at), model::info(at));
  }

 private:
  static rl::memory_order ask(std::memory_order order, op what, const place& at) noexcept {
    return model::to_relacy(model::orderings.ask(order, what, at));
  }

  // Relacy wants a failure order that the success order covers: a success order without acquire
  // gets it where the failure order has it. So write {release, relaxed} or {acq_rel, acquire}.
  template <bool Spurious>
  bool exchange_if(rl::bool_t<Spurious> spurious, T& expected, T desired, std::memory_order success,
                   std::memory_order failure, const place& at) noexcept {
    const model::without_preemption step(writes());
    const std::memory_order asked = success;
    success = model::orderings.ask(success, op::read_modify_write, at);
    if (success != asked && !model::has_acquire(success)) failure = std::memory_order_relaxed;
    if (success != asked && failure == std::memory_order_seq_cst) {
      failure = std::memory_order_acquire;
    }
    if (model::has_acquire(failure) && !model::has_acquire(success)) {
      success = success == std::memory_order_release ? std::memory_order_acq_rel : failure;
    }
    stored found = static_cast<stored>(expected);
    const bool done = value_.compare_exchange(spurious, found, static_cast<stored>(desired),
                                              model::to_relacy(success), model::to_relacy(failure),
                                              model::info(at));
    expected = static_cast<T>(found);
    return done;
  }

  bool reads() const noexcept {
    if (still_ == model::stillness::unread) model::check(false, "reads what it calls unread");
    return still_ != model::stillness::none;
  }
  bool writes() const noexcept {
    if (still_ == model::stillness::constant) model::check(false, "writes what it calls constant");
    return still_ != model::stillness::none;
  }

  union {
    rl::atomic<stored> value_;
  };
  bool made_;
  model::stillness still_ = model::stillness::none;
};

inline void fence(std::memory_order order, model::place at = model::place::current()) noexcept {
  order = model::orderings.ask(order, model::operation::fence, at);
  if (order == std::memory_order_relaxed) return;
  rl::atomic_thread_fence(model::to_relacy(order), model::info(at));
}

// The model compiles nothing away.
inline void compiler_fence() noexcept {}

// Tells the scheduler that this thread cannot get on: a spin loop without it is a livelock.
inline void cpu_relax(model::place at = model::place::current()) noexcept {
  rl::yield(1, model::info(at));
}

// One step: a counter of statistics is no reason to try one more order of events.
template <class T>
inline void bump(atomic<T>& counter, T by = 1) noexcept {
  rl::ctx().disable_preemption();
  counter.store(static_cast<T>(counter.load(std::memory_order_relaxed) + by),
                std::memory_order_relaxed);
  rl::ctx().enable_preemption();
}

template <class T>
inline void bump_release(atomic<T>& counter, model::place at = model::place::current()) noexcept {
  counter.store(static_cast<T>(counter.load(std::memory_order_relaxed) + 1),
                std::memory_order_release, at);
}

namespace model {
// Constructs a global anew: by before() of a model, and released by after() in the same way.
template <class T>
void renew(T& global) {
  ::new (&global) T;
}
template <class T>
void release(T& global) {
  global.~T();
}
}  // namespace model

}  // namespace weft::detail
