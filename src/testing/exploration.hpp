#pragma once
#include <weft/testing.hpp>

#include <memory>

#include "sched/event_source.hpp"
#include "testing/schedule.hpp"
#include "testing/strategy.hpp"

namespace weft::detail {
// One worker that runs a function once for each seed. The kernel thread that makes it is its
// carrier until its end.
class exploration final : public explorer {
 public:
  // The core has one processor, and no carrier yet.
  exploration(runtime_core&, const testing::explore_options&);

  // The result of one run is in failure(), schedule and so on until the next.
  void run(std::uint64_t seed, void (*call)(void*), void* f, source_site site);

  testing::failure failure() const noexcept { return failure_; }
  const std::string& message() const noexcept { return message_; }
  std::exception_ptr exception() const noexcept { return exception_; }
  const schedule& what_happened() const noexcept { return schedule_; }
  bool deterministic() const noexcept { return deterministic_; }
  // Fibers that did not end, even when they were asked to. Nothing may be run any more then.
  std::uint64_t abandoned() const noexcept { return abandoned_; }

  // On a fiber of the run, or inside its blocking().
  [[noreturn]] void fail_check(std::string text);
  std::uint32_t choose(std::uint32_t bound) noexcept { return random_.below(bound); }
  bool is_over() const noexcept { return stage_ != stage::running; }
  std::uint64_t seed() const noexcept { return seed_; }
  std::uint32_t running() const noexcept { return last_; }

  control_block* next() noexcept override;
  void parked_unbegun(control_block& block) noexcept override {
    note_fiber(block, number_of(block));
  }
  void at_point(point_kind, const char* label) noexcept override;
  void unhandled(control_block&, const char* what) noexcept override;
  nanos now() const noexcept override { return now_; }
  void real_clock() noexcept override { deterministic_ = false; }
  std::uint64_t take_serial() noexcept override {
    return next_serial_.fetch_add(1, std::memory_order_relaxed);
  }
  void foreign_wake() noexcept override {
    // release: pairs with the acquire in take_ready.
    foreign_wakes_.fetch_add(1, std::memory_order_release);
  }

 private:
  enum class stage {
    running,
    ending,  // it has failed; its fibers are asked to stop, in any order
    over,
  };

  void begin(std::uint64_t seed);
  void finish() noexcept;
  void fail(testing::failure, std::string message);
  void note_step();
  void take_ready();
  void note_ready(control_block&);
  void note_fiber(control_block&, std::uint32_t number);
  bool wait_for_world();
  void look_at_descriptors(nanos real_wait);
  bool anybody_waits_for_descriptors() const;
  void let_time_pass(nanos until);
  bool fire_one_timer();
  void nothing_can_run();
  void begin_ending();
  std::string parked_fibers();

  runtime_core& core_;
  const testing::explore_options& options_;
  explored_carrier carrier_;

  random random_{1};
  std::unique_ptr<strategy> strategy_;
  schedule schedule_;
  std::vector<ready_fiber> ready_;
  std::vector<wait_token> due_;  // timers of `now_` that have not fired
  std::uint64_t seed_ = 0;
  atomic<std::uint64_t> next_serial_{0};
  atomic<std::uint64_t> foreign_wakes_{0};
  std::uint64_t foreign_seen_ = 0;
  nanos now_ = 0;
  std::uint64_t alive_ = 0;
  std::uint64_t steps_ = 0;  // of the stage
  std::uint64_t ended_before_ = 0;
  std::uint32_t last_ = 0;  // whom next() returned; 0: nobody
  bool at_point_ = false;   // it gave way there, not by a yield
  bool threw_ = false;
  event point_{event_kind::gave_way};
  stage stage_ = stage::over;
  bool deterministic_ = true;
  testing::failure failure_ = testing::failure::none;
  std::string message_;
  std::exception_ptr exception_;
  std::uint64_t abandoned_ = 0;
};

// What a check throws. Nobody but the fiber's end catches it.
struct check_failed {};

// The exploration on whose thread the caller runs, or null.
inline exploration* exploration_here() noexcept {
  return static_cast<exploration*>(current()->exploring);
}
}  // namespace weft::detail
