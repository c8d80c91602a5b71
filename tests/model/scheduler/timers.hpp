// What the scheduler asks about timers and readiness, on the model's kernel.
#pragma once

#include "kernel.hpp"

namespace sched_model {

constexpr nanos soon = 5;

// Timers as events.cpp keeps them, one for each processor; readiness there is none.
class timers_and_kernel final : public event_source {
 public:
  explicit timers_and_kernel(kernel& os, const runtime_core& core) : os_(os), core_(core) {}

  bool has_fds() const noexcept override { return false; }
  nanos earliest() const noexcept override {
    nanos first = never;
    for (std::uint32_t i = 0; i < core_.workers; ++i) {
      const nanos at = armed_[i].load(std::memory_order_seq_cst);
      if (at < first) first = at;
    }
    return first;
  }
  void expire(nanos at, task_list<control_block>& ready) noexcept override {
    for (std::uint32_t i = 0; i < core_.workers; ++i) {
      if (armed_[i].load(std::memory_order_seq_cst) > at) continue;
      const spin_guard guard(lock_[i]);
      if (armed_[i].load(std::memory_order_relaxed) > at) continue;
      armed_[i].store(never, std::memory_order_seq_cst);
      if (tokens_[i].block->word.claim(tokens_[i].epoch, wake_reason::timeout)) {
        ready.push_back(tokens_[i].block);
      }
    }
  }
  void poll(nanos until, task_list<control_block>&) noexcept override { os_.poll(until); }
  void kick() noexcept override { os_.kick(); }

  void hold_still() {
    for (auto& at : armed_) at.hold_still(weft::detail::model::stillness::constant);
  }
  // The owner of the processor.
  void arm(std::uint32_t processor, nanos deadline, wait_token token) noexcept {
    const spin_guard guard(lock_[processor]);
    tokens_[processor] = token;
    armed_[processor].store(deadline, std::memory_order_seq_cst);
  }

 private:
  kernel& os_;
  const runtime_core& core_;
  spin_lock lock_[2];
  wait_token tokens_[2];  // guarded by the lock
  atomic<nanos> armed_[2]{never, never};
};

}  // namespace sched_model
