#include "testing/exploration.hpp"

#include <cstring>
#include <weft/detail/spawn.hpp>

#include "park/park.hpp"
#include "time/join.hpp"
#include "time/timers.hpp"

namespace weft::detail {
using testing::failure;

exploration::exploration(runtime_core& core, const testing::explore_options& options)
    : core_(core), options_(options), carrier_(core, *this) {}

void exploration::run(std::uint64_t seed, void (*call)(void*), void* f, source_site site) {
  begin(seed);
  struct task {
    void (*call)(void*);
    void* f;
    void operator()() const { call(f); }
  };
  // Nobody joins it: the run goes on until every fiber has ended.
  control_block* const first = finish_spawn(begin_spawn(core_, site), [&] {
    return task{call, f};
  });
  detach_block(*first);
  carrier_.run();
  finish();
}

void exploration::begin(std::uint64_t seed) {
  seed_ = seed;
  random_ = random(mixed(seed));
  core_.processors[0]->rng = random(mixed(~seed));  // of selects
  const bool walks = options_.strategy == testing::strategy::random_walk ||
                     (options_.strategy == testing::strategy::mixed && seed % 2 == 1);
  if (walks) {
    strategy_ = std::make_unique<random_walk>(random_);
  } else {
    strategy_ = std::make_unique<priorities>(random_, options_.priority_changes);
  }
  schedule_.clear();
  ready_.clear();
  next_serial_.store(explored_ids + 1, std::memory_order_relaxed);
  now_ = 0;
  alive_ = 0;
  steps_ = 0;
  last_ = 0;
  at_point_ = threw_ = false;
  stage_ = stage::running;
  failure_ = failure::none;
  message_.clear();
  exception_ = nullptr;
  ended_before_ = core_.processors[0]->count.finished.load(std::memory_order_relaxed);
}

void exploration::finish() noexcept {
  abandoned_ = alive_;
  // Who never runs again is no fiber any more: no dump shows it, and none waits for it in its
  // verdict.
  for (const fiber_record& left : schedule_.fibers()) {
    if (left.block) left.block->serial.store(0, std::memory_order_relaxed);
  }
  stage_ = stage::over;
  core_.cancelling.store(cancelling_bit::explored, std::memory_order_relaxed);
  // Timers of waits that are over; of no other, unless fibers are abandoned.
  core_.processors[0]->timers->take_due(never - 1, due_);
  due_.clear();
}

void exploration::fail(testing::failure kind, std::string message) {
  if (stage_ != stage::running || failure_ != failure::none) return;  // the first one counts
  failure_ = kind;
  message_ = std::move(message);
}

void exploration::fail_check(std::string text) {
  fail(failure::check,
       std::move(text) + "\n  in fiber " + schedule_.name_of(last_) +
           (schedule_.site_of(last_).empty() ? "" : ", spawned" + schedule_.site_of(last_)));
  throw check_failed();
}

void exploration::at_point(point_kind kind, const char* label) noexcept {
  at_point_ = true;
  point_.point = kind;
  point_.label = label;
}

void exploration::unhandled(control_block& me, const char* what) noexcept {
  threw_ = true;
  if (failure_ != failure::none) return;  // perhaps its own check_failed
  const std::uint32_t number = number_of(me);
  exception_ = std::current_exception();
  fail(failure::exception, "an exception left fiber " + schedule_.name_of(number) + ": " + what);
}

control_block* exploration::next() noexcept {
  take_ready();
  note_step();
  for (;;) {
    if (stage_ == stage::running && failure_ != failure::none) begin_ending();
    if (alive_ == 0) return nullptr;
    if (anybody_waits_for_descriptors()) look_at_descriptors(0);
    if (ready_.empty()) {
      if (wait_for_world()) continue;
      if (stage_ == stage::ending) return nullptr;
      nothing_can_run();
      continue;
    }
    if (!due_.empty() && random_.below(2) == 0 && fire_one_timer()) continue;
    if (due_.empty() && options_.busy_clock && random_.below(8) == 0) {
      if (const nanos due = core_.events->earliest(); due != never) {
        let_time_pass(due);
        continue;
      }
    }
    break;
  }
  if (++steps_ > options_.max_steps) {
    if (stage_ == stage::ending) return nullptr;
    fail(failure::step_limit, "not over after " + std::to_string(options_.max_steps) +
                                  " steps (explore_options::max_steps): a livelock, or a long run" +
                                  parked_fibers());
    begin_ending();
    if (ready_.empty()) return next();
  }
  const std::size_t which = stage_ == stage::running ? strategy_->pick(ready_) : 0;
  const ready_fiber chosen = ready_[which];
  ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(which));
  last_ = chosen.number;
  if (stage_ == stage::running) schedule_.add({.kind = event_kind::begin, .fiber = last_});
  return chosen.block;
}

// How the step of the fiber that next() returned last has ended.
void exploration::note_step() {
  if (last_ == 0) return;
  const std::uint32_t number = std::exchange(last_, 0);
  event e{.kind = event_kind::gave_way, .fiber = number};
  bool stop_left = false;
  fiber_record& record = schedule_.fiber(number);
  const std::uint64_t ended = core_.processors[0]->count.finished.load(std::memory_order_relaxed);
  if (ended != ended_before_) {
    ended_before_ = ended;
    e.kind = threw_ ? event_kind::threw : event_kind::ended;
    record.block = nullptr;
    --alive_;
    stop_left = number == 1 && options_.stop_left_behind && alive_ != 0;
  } else if (at_point_) {
    e = point_;
    e.fiber = number;
  } else if (record.block->waits_for != wait_kind::none) {
    e.kind = event_kind::parked;
    e.wait = record.block->waits_for;
    e.about = schedule_.about(*record.block);
  } else if (stage_ == stage::running) {
    strategy_->yielded(number);
  }
  at_point_ = threw_ = false;
  if (stage_ == stage::running) schedule_.add_step(e);
  if (!stop_left) return;
  schedule_.add({.kind = event_kind::stopped_left});
  request_stop_all(core_);
  take_ready();
}

void exploration::take_ready() {
  // acquire: pairs with foreign_wake; the fibers made ready before it are on the queue.
  const std::uint64_t foreign = foreign_wakes_.load(std::memory_order_acquire);
  task_list<control_block> ready = carrier_.take_ready();
  if (foreign != foreign_seen_) {
    foreign_seen_ = foreign;
    deterministic_ = false;
    if (!ready.empty()) schedule_.add({.kind = event_kind::foreign});
  }
  while (control_block* block = ready.pop_front()) note_ready(*block);
}

void exploration::note_ready(control_block& block) {
  const std::uint32_t number = number_of(block);
  fiber_record& record = schedule_.fiber(number);
  if (!record.seen) {
    note_fiber(block, number);
  } else if (number != last_ && stage_ == stage::running) {
    schedule_.add(
        {.kind = event_kind::woke, .reason = block.word.reason(), .fiber = last_, .about = number});
  }
  ready_.push_back({&block, number});
}

void exploration::note_fiber(control_block& block, std::uint32_t number) {
  fiber_record& record = schedule_.fiber(number);
  record.seen = true;
  record.block = &block;
  std::memcpy(record.name, detail::name_of(block), std::strlen(detail::name_of(block)) + 1);
  record.site = site_key_of(block);
  ++alive_;
  strategy_->spawned(number);
  if (last_ != 0 && stage_ == stage::running)
    schedule_.add({.kind = event_kind::spawned, .fiber = last_, .about = number});
}

bool exploration::anybody_waits_for_descriptors() const {
  if (!core_.events->has_fds()) return false;
  for (const fiber_record& f : schedule_.fibers()) {
    if (!f.block) continue;
    const wait_kind kind = f.block->waits_for;
    if (kind == wait_kind::readable || kind == wait_kind::writable || kind == wait_kind::poll) {
      return true;
    }
  }
  return false;
}

void exploration::look_at_descriptors(nanos real_wait) {
  task_list<control_block> ready;
  core_.events->poll(real_wait > 0 ? detail::now() + real_wait : 0, ready);
  if (ready.empty()) return;
  deterministic_ = false;
  if (stage_ == stage::running) schedule_.add({.kind = event_kind::descriptors});
  while (control_block* block = ready.pop_front()) note_ready(*block);
  take_ready();  // pinned ones
}

void exploration::let_time_pass(nanos until) {
  if (until > now_) now_ = until;
  core_.processors[0]->timers->take_due(now_, due_);
}

// One of those that are due, so that what it wakes may run before the others fire. False: they are
// of waits that are over.
bool exploration::fire_one_timer() {
  while (!due_.empty()) {
    const auto which = due_.begin() + random_.below(static_cast<std::uint32_t>(due_.size()));
    const wait_token token = *which;
    due_.erase(which);
    if (!token.block->word.claim(token.epoch, wake_reason::timeout)) continue;
    if (stage_ == stage::running) schedule_.add({.kind = event_kind::time, .about = now_});
    note_ready(*token.block);
    return true;
  }
  return false;
}

// Nothing can run. True: something has happened, or time has gone on.
bool exploration::wait_for_world() {
  if (fire_one_timer()) return true;
  const nanos due = core_.events->earliest();
  if (anybody_waits_for_descriptors() && stage_ == stage::running) {
    const nanos patience = std::chrono::nanoseconds(options_.io_wait).count();
    const nanos until_due = due == never ? never : due - now_;
    look_at_descriptors(until_due < patience ? until_due : patience);
    take_ready();
    if (!ready_.empty()) return true;
  }
  if (due == never) return false;
  let_time_pass(due);
  return true;
}

void exploration::nothing_can_run() {
  const bool returned = !schedule_.fiber(1).block;
  std::string text = returned ? "f has returned, and fibers are left that nothing can wake:"
                              : "deadlock: nothing can run, and no timer is armed:";
  fail(returned ? failure::left_behind : failure::deadlock, text + parked_fibers());
}

std::string exploration::parked_fibers() {
  std::string text;
  const auto& fibers = schedule_.fibers();
  std::size_t told = 0;
  for (std::uint32_t number = 1; number < fibers.size(); ++number) {
    const control_block* const block = fibers[number].block;
    if (!block) continue;
    if (++told > 50) continue;
    text += "\n  fiber " + schedule_.name_of(number);
    text += block->waits_for == wait_kind::none
                ? std::string(block->flags & fiber_flag::started ? " can run" : " has not begun")
                : " parked: " + schedule::wait_text(block->waits_for, schedule_.about(*block));
    const std::string site = schedule_.site_of(number);
    if (!site.empty()) text += ", spawned" + site;
  }
  if (told > 50) text += "\n  and " + std::to_string(told - 50) + " more";
  return text;
}

// As at the end of a runtime. What does not end is left where it is: a suspended stack is never
// unwound by force.
void exploration::begin_ending() {
  stage_ = stage::ending;
  steps_ = 0;
  request_stop_all(core_);
  take_ready();
}
}  // namespace weft::detail
