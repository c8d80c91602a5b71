#pragma once
// The one door to atomics. Production code names only weft::detail::atomic, so that the same source
// compiles under the model checker, which replaces the type and nothing else; and in chaos mode.
#ifdef WEFT_MODEL
#include "base/atomic_model.hpp"
#else
#include "atomic_type.hpp"  // base/plain's or base/chaos's: one of them is on the include path

#include "machine.hpp"

namespace weft::detail {
inline void fence(std::memory_order order) noexcept {
  std::atomic_thread_fence(order);
}
// Orders the compiler, not the CPU.
inline void compiler_fence() noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

using machine::cpu_relax;

// A counter with one writer: a plain add in memory, no locked instruction. Any thread may read it.
template <class T>
inline void bump(atomic<T>& counter, T by = 1) noexcept {
  counter.store(static_cast<T>(counter.load(std::memory_order_relaxed) + by),
                std::memory_order_relaxed);
}
// The same for a reader that draws conclusions: pairs with its acquire.
template <class T>
inline void bump_release(atomic<T>& counter) noexcept {
  counter.store(static_cast<T>(counter.load(std::memory_order_relaxed) + 1),
                std::memory_order_release);
}
}  // namespace weft::detail
#endif
