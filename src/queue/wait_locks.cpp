#include "queue/wait_locks.hpp"

#include <cstdint>
#include <functional>
#include <utility>

#include "base/cache_line.hpp"

namespace weft::detail {
namespace {
constexpr unsigned bits = 8;
struct alignas(cache_line) slot {
  spin_lock lock;
};
constinit slot slots[1u << bits];
constinit atomic<std::uint32_t> copies{0};
}  // namespace

spin_lock& queue_lock(const void* object) noexcept {
  // Multiplicative: neighbours in an array fall far apart.
  const std::uint64_t spread = reinterpret_cast<std::uintptr_t>(object) * 0x9e37'79b9'7f4a'7c15u;
  return slots[spread >> (64 - bits)].lock;
}

// In the order of their addresses, as a pair. Who holds one does not wait for anything else.
void queue_locks_forking() noexcept {
  for (slot& each : slots) each.lock.lock();
}

void queue_locks_forked_parent() noexcept {
  for (slot& each : slots) each.lock.unlock();
}

void queue_locks_forked_child() noexcept {
  for (slot& each : slots) each.lock.unlock();
  copies.fetch_add(1, std::memory_order_relaxed);
}

std::uint32_t process_copy() noexcept {
  return copies.load(std::memory_order_relaxed);
}

queue_lock_pair::queue_lock_pair(const void* one, const void* other) noexcept
    : first_(&queue_lock(one)), second_(&queue_lock(other)) {
  if (first_ == second_) {
    second_ = nullptr;
  } else if (std::less<>{}(second_, first_)) {
    std::swap(first_, second_);
  }
  first_->lock();
  if (second_) second_->lock();
}

queue_lock_pair::~queue_lock_pair() {
  if (second_) second_->unlock();
  first_->unlock();
}
}  // namespace weft::detail
