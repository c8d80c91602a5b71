#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "fiber/extras.hpp"
#include "fiber/sites.hpp"
#include "sched/explorer.hpp"

// What happened in an explored run, and how it is told. Fibers and objects have the numbers of
// their run, so that the text of a seed is the same in every process.
namespace weft::detail {
enum class event_kind : std::uint8_t {
  begin,         // the first choice of a fiber
  gave_way,      // at a point (point)
  parked,        // on something (wait, about)
  ended,         //
  threw,         // an exception left it, and it ended
  spawned,       // within the next step, fiber `about`
  woke,          // within the next step, or by the time or descriptors before it: fiber `about`
  time,          // virtual time goes on to `about`
  descriptors,   // readiness was reported by the kernel
  stopped_left,  // f has returned, and those left are asked to stop
  foreign,       // another kernel thread made fibers ready
};

struct event {
  event_kind kind;
  point_kind point = point_kind::yield;
  wait_kind wait = wait_kind::none;
  wake_reason reason = wake_reason::none;
  std::uint32_t fiber = 0;
  std::int64_t about = 0;
  const char* label = nullptr;
};

// What is kept of a fiber after its block has gone.
struct fiber_record {
  control_block* block = nullptr;  // null: has ended
  char name[fiber_extras::name_size] = {};
  site_key site{};
  bool seen = false;  // numbers may be burnt by spawns that fail
};

class schedule {
 public:
  void clear();
  void add(const event& e) { events_.push_back(e); }
  void add_step(const event& e) {
    events_.push_back(e);
    ++steps_;
  }
  fiber_record& fiber(std::uint32_t number);
  const std::vector<fiber_record>& fibers() const noexcept { return fibers_; }
  // Objects in order of their first mention, from 1.
  std::int64_t object(const void* where);
  std::uint64_t steps() const noexcept { return steps_; }

  // `3 "alice"`
  std::string name_of(std::uint32_t number) const;
  // `, spawned at bank.cpp:31`
  std::string site_of(std::uint32_t number) const;
  // `join of fiber 2`
  static std::string wait_text(wait_kind kind, std::int64_t about);
  // What a parked fiber waits on, as wait_text wants it.
  std::int64_t about(const control_block& parked);
  // A line for each step, and for what the time and the kernel did; with more than `most` of them,
  // the first and the last ones, with `elsewhere` in the gap. 0: all.
  std::string text(std::size_t most, const std::string& elsewhere) const;

 private:
  std::string step_line(std::uint64_t step, const event& e, const std::string& before) const;

  std::vector<event> events_;
  std::vector<fiber_record> fibers_;  // by number
  std::vector<const void*> objects_;
  std::uint64_t steps_ = 0;
};

// Fibers of explored runs have ids above this: the same in every run, and no other fiber's. The
// rest is their number.
inline constexpr std::uint64_t explored_ids = 1'000'000'000'000'000'000;
inline std::uint32_t number_of(const control_block& block) noexcept {
  return static_cast<std::uint32_t>(block.serial.load(std::memory_order_relaxed) - explored_ids);
}
// 1500000000 -> "1.500000000 s"
std::string time_text(nanos at);
}  // namespace weft::detail
