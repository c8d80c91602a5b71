// What the models of fork_join share: fibers without stacks, one for each thread, and what lies
// below sched/branch_join.cpp and sched/branch_list.cpp.
#pragma once

namespace branch_model {
struct a_fiber {
  weft::detail::thread_header* header = nullptr;
  weft::detail::atomic<int>* ready = nullptr;  // how often it was made ready
};
inline a_fiber here[4];

inline a_fiber& of(const weft::detail::control_block* block) {
  for (a_fiber& f : here) {
    if (f.header && f.header->fiber == block) return f;
  }
  ::model::check(false, "no fiber of this world");
  return here[0];
}
}  // namespace branch_model

namespace weft::detail {
void inherit_from(const control_block& /*owner*/, control_block& /*me*/) {}  // no locals here
thread_header* current() noexcept {
  return branch_model::here[rl::thread_index()].header;
}
bool has_forked() noexcept {
  return false;
}
std::stop_source existing_stop_source(control_block&) noexcept {
  return std::stop_source(std::nostopstate);
}
void make_ready(control_block* block) noexcept {
  branch_model::of(block).ready->fetch_add(1, std::memory_order_release);
}
bool cancel_wait(runtime_core&, control_block& block, wait_word::epoch_type epoch) noexcept {
  if (!block.word.claim(epoch, wake_reason::cancel)) return false;
  make_ready(&block);
  return true;
}
// Off the stack at once, back when made ready; after_park's looks in between.
wake_reason park_fiber(wait_kind, const void*, bool cancellable, publish_fn publish,
                       void* arg) noexcept {
  control_block& me = *current()->fiber;
  atomic<int>& ready = *branch_model::of(&me).ready;
  const int before = ready.load(std::memory_order_relaxed);
  const wait_word::epoch_type epoch = me.word.next_epoch();
  me.word.begin(cancellable);
  if (publish) publish(&me, arg);
  light_fence();
  if (cancellable && stop_requested(me) && me.word.claim(epoch, wake_reason::cancel))
    make_ready(&me);
  while (ready.load(std::memory_order_acquire) == before) cpu_relax();
  return me.word.reason();
}
void push_slot_shared(processor&, control_block* block) noexcept {
  make_ready(block);
}
void make_room_slow(processor&, control_block*) noexcept {}
}  // namespace weft::detail

// One call's frame and branches.
template <int Branches>
struct call_place {
  union {
    weft::detail::fork_frame frame;
    std::byte room[sizeof(weft::detail::fork_state)];  // the checker's atomics are larger
  };
  weft::detail::branch branches[Branches];
  weft::detail::branch_code codes[Branches];

  void open(weft::detail::control_block& owner) {
    using namespace weft::detail;
    auto& f = state_of(frame);
    f.parent = nullptr;
    f.owner = &owner;
    f.lane = nullptr;
    f.deadline = never;
    ::new (&f.word) atomic<std::uint64_t>(cancel_frame::of_fork);
  }
  void put(int i, void (*run)(void*), void* with) {
    codes[i] = {run, static_cast<std::size_t>(i)};
    branches[i] = {&codes[i], with};
  }
  void close() {
    using word = weft::detail::atomic<std::uint64_t>;
    weft::detail::state_of(frame).word.~word();
  }
};

template <int Threads>
struct branch_world {
  weft::detail::runtime_core core;
  weft::detail::processor processors[Threads];
  weft::detail::control_block fibers[Threads];
  weft::detail::thread_header headers[Threads];
  weft::detail::exception_state exceptions[Threads];
  weft::detail::atomic<int> ready[Threads];

  void enter() {
    core.workers = Threads;
    for (int i = 0; i < Threads; ++i) {
      processors[i].core = &core;
      core.processors[i] = &processors[i];
      fibers[i].rt.store(&core, std::memory_order_relaxed);
      headers[i] = {};
      headers[i].fiber = &fibers[i];
      headers[i].held = &processors[i];
      headers[i].exceptions = &exceptions[i];
      branch_model::here[i] = {&headers[i], &ready[i]};
    }
  }
};
