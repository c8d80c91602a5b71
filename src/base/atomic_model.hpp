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

// Before Relacy, which redefines new, delete, malloc, assert, errno and the names of orders by
// macros: whatever the modelled headers include.
#include <atomic>
#include <cassert>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <relacy/relacy.hpp>

#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef errno
#define errno (*__errno_location())
#undef assert
#define assert(condition) RL_ASSERT(condition)
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef $

namespace weft::detail::model {

using place = std::source_location;

enum class operation { load, store, read_modify_write, fence };

// One place in the source that asks for more than relaxed.
struct ordering {
  const char* file;
  const char* function;
  unsigned line;
  unsigned column;
  operation op;
  std::memory_order order;
};

// A fixed array: allocation inside a model belongs to the model.
struct ordering_table {
  static constexpr int capacity = 128;
  ordering entries[capacity]{};
  int count = 0;
  int weakened = -1;  // this entry answers `weaker` instead of what the source says
  std::memory_order weaker = std::memory_order_relaxed;

  std::memory_order ask(std::memory_order order, operation op, const place& at) noexcept {
    if (order == std::memory_order_relaxed) return order;
    int i = 0;
    while (i < count && !(entries[i].line == at.line() && entries[i].column == at.column() &&
                          std::strcmp(entries[i].file, at.file_name()) == 0)) {
      ++i;
    }
    if (i == count) {
      if (count == capacity) std::abort();
      entries[count++] = {at.file_name(), at.function_name(), at.line(), at.column(), op, order};
    }
    return i == weakened ? weaker : order;
  }
};

inline ordering_table orderings;

inline rl::debug_info info(const place& at) noexcept {
  return {at.function_name(), at.file_name(), at.line()};
}

inline rl::memory_order to_relacy(std::memory_order order) noexcept {
  switch (order) {
    case std::memory_order_relaxed:
      return rl::mo_relaxed;
    case std::memory_order_consume:
      return rl::mo_consume;
    case std::memory_order_acquire:
      return rl::mo_acquire;
    case std::memory_order_release:
      return rl::mo_release;
    case std::memory_order_acq_rel:
      return rl::mo_acq_rel;
    case std::memory_order_seq_cst:
      return rl::mo_seq_cst;
  }
  std::abort();
}

inline bool has_acquire(std::memory_order order) noexcept {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

// Shared data that is no atomic: two unordered accesses, one of them a write, fail the model.
template <class T>
class checked {
 public:
  checked() noexcept : checked(T{}) {}
  checked(T value, place at = place::current()) noexcept { value_(info(at)).store(value); }
  checked(const checked&) = delete;
  checked& operator=(const checked&) = delete;

  T get(place at = place::current()) const noexcept { return value_(info(at)).load(); }
  void set(T value, place at = place::current()) noexcept { value_(info(at)).store(value); }

  // So that it can stand for a plain member in production templates.
  operator T() const noexcept { return get(); }
  T operator->() const noexcept { return get(); }
  checked& operator=(T value) noexcept {
    set(value);
    return *this;
  }

 private:
  mutable rl::var<T> value_;
};

// Fails the running interleaving, which is then printed.
inline void check(bool condition, const char* what, place at = place::current()) noexcept {
  if (!condition) rl::ctx().fail_test(what, rl::test_result_user_assert_failed, info(at));
}

}  // namespace weft::detail::model

namespace weft::detail {

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
  atomic(T value) noexcept : value_(static_cast<stored>(value)) {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order, place at = place::current()) const noexcept {
    return static_cast<T>(value_.load(ask(order, op::load, at), model::info(at)));
  }

  void store(T value, std::memory_order order, place at = place::current()) noexcept {
    value_.store(static_cast<stored>(value), ask(order, op::store, at), model::info(at));
  }

  T exchange(T value, std::memory_order order, place at = place::current()) noexcept {
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
    return value_.fetch_add(by, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_sub(T by, std::memory_order order, place at = place::current()) noexcept {
    return value_.fetch_sub(by, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_or(T bits, std::memory_order order, place at = place::current()) noexcept {
    return value_.fetch_or(bits, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_and(T bits, std::memory_order order, place at = place::current()) noexcept {
    return value_.fetch_and(bits, ask(order, op::read_modify_write, at), model::info(at));
  }
  T fetch_xor(T bits, std::memory_order order, place at = place::current()) noexcept {
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

  rl::atomic<stored> value_;
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

template <class T>
inline void bump(atomic<T>& counter, T by = 1) noexcept {
  counter.store(static_cast<T>(counter.load(std::memory_order_relaxed) + by),
                std::memory_order_relaxed);
}

}  // namespace weft::detail
