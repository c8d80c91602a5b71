// A context's short path: it is resumed, gives way, ends. How it is made and destroyed is in
// context_life.cpp.
//
// Resuming is a call, on another stack. So errno and the floating-point control words are left
// alone: the computation finds what its resumer left, and the other way round. What the C++ runtime
// knows of exceptions in flight is exchanged: the two sides enter and leave handlers independently.
#include <cxxabi.h>

#include <weft/context.hpp>

#include "base/fatal.hpp"
#include "base/stack_memory.hpp"
#include "context_life.hpp"

namespace weft::detail {
namespace {
[[gnu::cold, gnu::noinline]] void* resumed_busy(const computation& c) noexcept {
  const doer by;
  if (c.ended) fatal("weft::context %p has ended, and %s resumes it", as_object(c), by.text);
  fatal("weft::context %p is running, and %s resumes it: by itself, or by two at once",
        as_object(c), by.text);
}

[[gnu::cold, gnu::noinline]] void* suspended_elsewhere(const computation& c) noexcept {
  const doer by;
  fatal(
      "%s yields for weft::context %p, and is not what runs in it: the yielder is for the "
      "computation itself, on its own stack, outside of blocking() and of contexts inside it",
      by.text, as_object(c));
}

// The resumer's stack is the fiber's, or thread's, again.
inline void put_back(thread_header* header, computation& c) noexcept {
  if (control_block* const fiber = header->fiber) [[likely]] {
    fiber->stk = c.outer;
    fiber->clock = c.outer_clock;
  } else {
    header->inside = c.enclosing;
  }
  exception_state* const state = header->exceptions;
  c.exceptions = *state;
  *state = c.around;
}

inline bool runs_in(const thread_header* header, const computation& c) noexcept {
  return header->fiber ? header->fiber->stk.lo == c.stk.lo : header->inside == &c;
}

// The resumer unwinds: waits in the computation are shielded as its own are, though no exception is
// in flight there.
class shielded_visit {
 public:
  explicit shielded_visit(const computation& c) noexcept {
    const thread_header* const header = current();
    me_ = header->fiber ? header->fiber : header->stand_in;
    if (!me_) return;
    shielded_ = me_->shielded;
    deadline_ = me_->deadline;
    me_->shielded = 1;
    if (c.around.uncaught > me_->deadline_level) me_->deadline = never;
  }
  void returned() const noexcept {
    if (!me_) return;
    me_->shielded = shielded_;
    me_->deadline = deadline_;
  }

 private:
  control_block* me_ = nullptr;
  nanos deadline_ = never;
  bool shielded_ = false;
};

[[gnu::noinline]] void* hop_shielded(computation& c, context to, void* in) noexcept {
  const shielded_visit shield(c);
  announced_visits::visit visit(c.visits, c.stk.lo, c.stk.hi);
  void* const out = hop(&c.resumer, to, in);
  visit.returned();
  shield.returned();
  return out;
}

// Not instrumented, because it never returns: no frame of it stays poisoned.
[[gnu::no_sanitize_address]] void computation_main(void* in) noexcept {
  thread_header* header = current();
  computation& me = *(header->fiber ? computation_on(header->fiber->stk) : header->inside);
  me.visits.arrived();
  run_computation(me, in);
  header = current();
  if (!runs_in(header, me)) suspended_elsewhere(me);
  put_back(header, me);
  me.ended = true;
  const context to = me.resumer;
  me.visits.leave(me.stk.hi);
  switch_away(nullptr, to, nullptr, nullptr);
}
}  // namespace

context fresh_context(computation& c) noexcept {
  constexpr std::ptrdiff_t prepared = 512;  // more than any backend writes
  const auto top = reinterpret_cast<std::uintptr_t>(c.closure) & ~std::uintptr_t{15};
  auto* const end = reinterpret_cast<std::byte*>(top);
  revive_stack_memory(end - prepared, end);
  return prepare(end, computation_main);
}

void* resume_computation(computation& c, void* in) noexcept {
  thread_header* const header = current();
  const context to = c.self;
  if (!to.sp) [[unlikely]]
    return resumed_busy(c);
  c.self.sp = nullptr;
  if (control_block* const fiber = header->fiber) [[likely]] {
    c.outer = fiber->stk;
    c.outer_clock = fiber->clock;
    fiber->stk = c.stk;
    fiber->clock = c.visits.clock();
  } else {
    if (!header->resumes_contexts) [[unlikely]]
      prepare_thread(header);
    c.enclosing = header->inside;
    header->inside = &c;
  }
  exception_state* const state = header->exceptions;
  c.around = *state;
  *state = c.exceptions;
  if (c.around.uncaught != 0) [[unlikely]]
    return hop_shielded(c, to, in);
  announced_visits::visit visit(c.visits, c.stk.lo, c.stk.hi);
  void* const out = hop(&c.resumer, to, in);  // a jump, but for sanitizers
  visit.returned();
  return out;
}

void* suspend_computation(computation& c, void* out) noexcept {
  thread_header* const header = current();
  if (!runs_in(header, c)) [[unlikely]]
    return suspended_elsewhere(c);
  put_back(header, c);
  announced_visits::absence absence(c.visits);
  void* const in = hop(&c.self, c.resumer, out);
  absence.returned();
  return in;
}
}  // namespace weft::detail
