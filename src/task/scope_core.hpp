#pragma once
#include <cstdint>
#include <weft/detail/scope_base.hpp>

#include "base/spin_lock.hpp"
#include "park/wait_list.hpp"

// The children of a scope, and who waits for them. Every path takes the lock, and a child's last
// touch of the scope is its release: so whoever finds no child, under the lock, may destroy it.
namespace weft::detail {
class scope_core {
 public:
  spin_lock lock;
  bool stopping = false;  // guarded by `lock`, as is all below
  bool received = false;  // an exception came, and join has rethrown it
  std::uint32_t count = 0;
  wait_token joiner;  // open while somebody waits
  scope_link* first = nullptr;
  scope_link* last = nullptr;

  bool empty_locked() const noexcept { return first == nullptr; }
  void push_back_locked(scope_link& child) noexcept {
    child.previous = last;
    child.next = nullptr;
    (last ? last->next : first) = &child;
    last = &child;
    ++count;
  }
  void erase_locked(scope_link& child) noexcept {
    (child.previous ? child.previous->next : first) = child.next;
    (child.next ? child.next->previous : last) = child.previous;
    --count;
  }

  // Asks all to stop who are here now. Those to come find `stopping`.
  void stop_children() noexcept;
};
}  // namespace weft::detail
