// Relacy, without its macros, and what the facade (atomic_model.hpp) and the models share: the
// table of orders, data that is checked for races, checks. Included under WEFT_MODEL only.
#pragma once

// Before Relacy, which redefines new, delete, malloc, assert, errno and the names of orders by
// macros: whatever the modelled headers include.
#include <atomic>
#include <cassert>
#include <cerrno>
#include <climits>
#include <csetjmp>
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
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

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
#undef EAGAIN
#define EAGAIN 11
#undef EINVAL
#define EINVAL 22
#undef sched_yield
#undef pthread_t
#undef pthread_attr_t
#undef pthread_create
#undef pthread_join

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
  static constexpr int capacity = 512;
  ordering entries[capacity]{};
  int count = 0;
  int weakened = -1;  // this entry answers `weaker` instead of what the source says
  std::memory_order weaker = std::memory_order_relaxed;

  std::memory_order ask(std::memory_order order, operation op, const place& at) noexcept {
    if (order == std::memory_order_relaxed) return order;
    int i = 0;
    while (i < count && !(entries[i].line == at.line() && entries[i].column == at.column() &&
                          (entries[i].file == at.file_name() ||
                           std::strcmp(entries[i].file, at.file_name()) == 0))) {
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

// For tests/model/mutate.py, which writes calls of this into a copy of the sources: whether the
// check of that number is deleted.
inline bool deleted(int number) noexcept {
  static const char* const chosen = std::getenv("WEFT_MODEL_DELETED");
  return chosen != nullptr && std::atoi(chosen) == number;
}

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
