// Timer against wake against cancel: of three that would end a wait one does, and none of their
// late tokens ends the next wait. Over after_park (sched/switch.cpp), cancel_wait (sched/ready.cpp)
// and request_stop_word (park/cancel.cpp) as they are.
#pragma once

#include "world.hpp"

#include "park/cancel.cpp"

namespace weft::detail {
void slab_for_each(void (*)(control_block&, void*), void*) noexcept {}
std::stop_source stop_source_of(control_block&) {
  return std::stop_source(std::nostopstate);
}
std::stop_source existing_stop_source(control_block&) noexcept {
  return std::stop_source(std::nostopstate);
}
std::stop_source share_stop_source(control_block&, const runtime_core*) noexcept {
  return std::stop_source(std::nostopstate);
}
}  // namespace weft::detail

namespace sched_model {
namespace {

// The first wait may be ended by its deadline, a waker or a stop request. The second one only by
// its waker: the timer of the first is fired again meanwhile.
struct three_end_a_wait : model::test<three_end_a_wait, 3>, world {
  control_block& block = all[0].block;
  atomic<wait_word::epoch_type> token{0};
  gate second;

  void before() {
    start(1);
    has_carriers(1);
    for (auto* word : {&core.frozen, &core.starving, &core.monitor_resting, &core.draining,
                       &core.cancelling, &stackless.now}) {
      word->hold_still(weft::detail::model::stillness::constant);
    }
    core.foreign.wakes.hold_still(weft::detail::model::stillness::unread);
    processors[0].state.hold_still(weft::detail::model::stillness::unread);
    processors[0].holder.hold_still(weft::detail::model::stillness::unread);
    carriers[0].pinned_count.hold_still(weft::detail::model::stillness::constant);
    queue(0, 0);
  }

  // The publication of both waits: the timer last, as publish_timed does.
  static void publish(control_block* parked, void* arg) noexcept {
    world& w = *static_cast<world*>(arg);
    auto& self = static_cast<three_end_a_wait&>(w);
    const wait_token mine{parked, parked->word.epoch()};
    const bool first = mine.epoch == 2;
    if (first) self.token.store(mine.epoch, std::memory_order_release);
    if (first) w.events.arm(0, soon, mine);
    if (!first) self.second.open();
  }
  void run(fiber&, int nth) noexcept override {
    if (nth == 2) {
      check(block.word.reason() == wake_reason::wake, "a late token ended the second wait");
      return finish();
    }
    if (nth == 1) check(block.word.epoch() == 2, "resumed twice");
    park_fiber(wait_kind::event, nullptr, nth == 0, publish, static_cast<world*>(this));
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    if (index == 1) {
      request_stop_word(&block);
      task_list<control_block> ready;  // somebody else's turn at the timers
      events.expire(soon, ready);
      make_ready(core, ready);
      return;
    }
    const wait_word::epoch_type epoch = token.load(std::memory_order_acquire);
    if (epoch != 0 && block.word.claim(epoch, wake_reason::wake)) make_ready(&block);
    second.wait(os.all);
    if (epoch != 0) check(!block.word.claim(epoch, wake_reason::wake), "a late token wins");
    wake({&block, 3});
  }
  void after() { end(); }
};

// Nothing but the stop request ends the wait.
struct stop_alone : model::test<stop_alone, 2>, world {
  void before() {
    start(1);
    has_carriers(1);
    plain();
    without_timers();
    queue(0, 0);
    processors[0].slot.hold_still(weft::detail::model::stillness::none);
    processors[0].slot_pushes.hold_still(weft::detail::model::stillness::none);
  }
  void run(fiber& f, int nth) noexcept override {
    if (nth == 1) {
      check(f.block.word.reason() == wake_reason::cancel, "ended by nobody");
      return finish();
    }
    park(true);
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    request_stop_word(&all[0].block);
  }
  void after() { end(); }
};

// A wait that a stop may not end is ended by its waker.
struct shielded : model::test<shielded, 2>, world {
  void before() {
    start(1);
    has_carriers(1);
    plain();
    without_timers();
    queue(0, 0);
  }
  static void publish(control_block*, void* arg) noexcept {
    static_cast<world*>(arg)->all[0].ran.open();
  }
  void run(fiber& f, int nth) noexcept override {
    if (nth == 1) {
      check(f.block.word.reason() == wake_reason::wake, "ended by a stop");
      return finish();
    }
    park_fiber(wait_kind::event, nullptr, false, publish, static_cast<world*>(this));
  }
  void thread(unsigned index) {
    if (index == 0) return carry(0);
    all[0].ran.wait(os.all);
    request_stop_word(&all[0].block);
    control_block& block = all[0].block;
    check(block.word.claim(2, wake_reason::wake), "ended by a stop");
    make_ready(&block);
  }
  void after() { end(); }
};

}  // namespace
}  // namespace sched_model
