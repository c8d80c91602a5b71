#pragma once
// std::atomic, late now and then: chaos mode's delay comes before each operation.
#include <atomic>  // IWYU pragma: export

namespace weft::detail {
namespace chaos {
// For chaos mode's own state.
template <class T>
using undelayed = std::atomic<T>;

extern bool active;  // written before main() only
void delay_slow() noexcept;
inline void delay() noexcept {
  if (active) delay_slow();
}
}  // namespace chaos

// Same size and layout. What is not named here (conversions, ++) is not delayed.
template <class T>
class atomic : public std::atomic<T> {
  using plain = std::atomic<T>;

 public:
  using plain::plain;
  using plain::operator=;

  T load(std::memory_order order) const noexcept {
    chaos::delay();
    return plain::load(order);
  }
  void store(T value, std::memory_order order) noexcept {
    chaos::delay();
    plain::store(value, order);
  }
  T exchange(T value, std::memory_order order) noexcept {
    chaos::delay();
    return plain::exchange(value, order);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order) noexcept {
    chaos::delay();
    return plain::compare_exchange_strong(expected, desired, order);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) noexcept {
    chaos::delay();
    return plain::compare_exchange_strong(expected, desired, success, failure);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order) noexcept {
    chaos::delay();
    return plain::compare_exchange_weak(expected, desired, order);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure) noexcept {
    chaos::delay();
    return plain::compare_exchange_weak(expected, desired, success, failure);
  }
  T fetch_add(T by, std::memory_order order) noexcept {
    chaos::delay();
    return plain::fetch_add(by, order);
  }
  T fetch_sub(T by, std::memory_order order) noexcept {
    chaos::delay();
    return plain::fetch_sub(by, order);
  }
  T fetch_or(T bits, std::memory_order order) noexcept {
    chaos::delay();
    return plain::fetch_or(bits, order);
  }
  T fetch_and(T bits, std::memory_order order) noexcept {
    chaos::delay();
    return plain::fetch_and(bits, order);
  }
};
}  // namespace weft::detail
