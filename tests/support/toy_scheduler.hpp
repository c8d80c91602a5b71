#pragma once

// The smallest scheduler that works as weft does, to be read first and to test with: one kernel
// thread, one queue, and three rules that the real one keeps too.
//   1. A fiber that gives way switches straight to the next one, with no scheduler in between.
//   2. Nobody may see a fiber as ready before its registers are saved. So a fiber does not queue
//      itself: the `after` function does, on the stack of the next one.
//   3. A fiber cannot free the stack that it runs on. The `after` of its last switch does.
// What is announced is for sanitizers, and nothing in other builds.

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "base/sanitizer.hpp"
#include "context/context.hpp"
#include "support/valgrind.hpp"

namespace weft::test {

// A stack with an inaccessible page below it: an overflow faults instead of writing into a
// neighbour.
class guarded_stack {
 public:
  explicit guarded_stack(std::size_t size = 64 * 1024) : size_(size + guard) {
    void* low =
        ::mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (low == MAP_FAILED) throw std::bad_alloc();
    low_ = static_cast<std::byte*>(low);
    if (::mprotect(low_ + guard, size, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    announced_.emplace(limit(), top());
  }
  ~guarded_stack() {
    ASAN_UNPOISON_MEMORY_REGION(low_, size_);  // of the frames that were left by switch_away
    ::munmap(low_, size_);
  }
  guarded_stack(const guarded_stack&) = delete;
  guarded_stack& operator=(const guarded_stack&) = delete;

  std::byte* top() const noexcept { return low_ + size_; }
  std::byte* limit() const noexcept { return low_ + guard; }  // the lowest byte that may be used

 private:
  static constexpr std::size_t guard = 4096;
  std::byte* low_ = nullptr;
  std::size_t size_;
  std::optional<valgrind_stack> announced_;
};

class toy_scheduler {
 public:
  toy_scheduler() = default;
  ~toy_scheduler() {
    for (fiber* f : ready_) delete f;  // what run() was not called for
  }
  toy_scheduler(const toy_scheduler&) = delete;
  toy_scheduler& operator=(const toy_scheduler&) = delete;

  void spawn(std::function<void()> body) {
    auto f = std::make_unique<fiber>(std::move(body));
    static_cast<detail::context&>(*f) = detail::prepare(f->stack.top(), &enter);
    f->clock.begin();
    ready_.push_back(f.release());
  }

  // Only in a fiber. Everything that is ready runs before it returns.
  void yield() {
    if (ready_.empty()) return;
    fiber* self = current_;
    change_to(take_next(), self, &queue);
  }

  // Returns when no fiber is left. What yield() calls "next" when nobody is ready is the caller of
  // run().
  void run() {
    thread_stack_ = detail::thread_stack::here();
    if (!ready_.empty()) change_to(take_next(), &caller_, nullptr);
  }

 private:
  struct fiber : detail::context {
    explicit fiber(std::function<void()> f) : body(std::move(f)) {}
    guarded_stack stack;
    [[no_unique_address]] detail::race_clock clock;
    std::function<void()> body;
  };

  detail::context take_next() {
    current_ = ready_.empty() ? nullptr : ready_.front();
    if (current_ == nullptr) return caller_;
    ready_.pop_front();
    return *current_;
  }

  // The stack of what take_next() has chosen.
  detail::stack_bounds next_bounds() const {
    if (current_ == nullptr) return detail::stack_bounds(thread_stack_);
    return {current_->stack.limit(), current_->stack.top(), current_->clock};
  }

  void change_to(detail::context next, detail::context* from, detail::after_fn after) {
    detail::order_release(this);
    detail::announced_switch announced(next_bounds());
    detail::order_acquire(this);  // on the clock of what comes next, for which `after` runs
    detail::switch_to(from, next, after, this);
    announced.returned();
  }

  [[gnu::no_sanitize_address]] static void enter(void* arg) noexcept {
    detail::announce_fresh_stack();
    auto* scheduler = static_cast<toy_scheduler*>(arg);
    fiber* self = scheduler->current_;
    self->body();
    const detail::context next = scheduler->take_next();
    detail::order_release(scheduler);
    detail::announce_last_switch(scheduler->next_bounds(), self->stack.top());
    detail::order_acquire(scheduler);
    detail::switch_away(self, next, &destroy, arg);
  }

  static void queue(void* arg, detail::context* from) noexcept {  // rule 2
    static_cast<toy_scheduler*>(arg)->ready_.push_back(static_cast<fiber*>(from));
  }

  static void destroy(void*, detail::context* from) noexcept {  // rule 3
    delete static_cast<fiber*>(from);
  }

  std::deque<fiber*> ready_;  // owns what is in it
  fiber* current_ = nullptr;
  detail::context caller_;
  detail::thread_stack thread_stack_;  // which caller_ runs on
};

}  // namespace weft::test
