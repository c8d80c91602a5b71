#pragma once

namespace weft::detail {
// A doubly linked list whose links live in the elements (T::previous, T::next_waiter). Owns
// nothing, allocates nothing; the caller holds the lock that guards it.
template <class T>
class intrusive_list {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  T* front() const noexcept { return first_; }

  void push_back(T& node) noexcept {
    node.previous = last_;
    node.next_waiter = nullptr;
    (last_ ? last_->next_waiter : first_) = &node;
    last_ = &node;
    node.linked = true;
  }

  void erase(T& node) noexcept {
    (node.previous ? node.previous->next_waiter : first_) = node.next_waiter;
    (node.next_waiter ? node.next_waiter->previous : last_) = node.previous;
    node.linked = false;
  }

  T* pop_front() noexcept {
    T* node = first_;
    if (node) erase(*node);
    return node;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};
}  // namespace weft::detail
