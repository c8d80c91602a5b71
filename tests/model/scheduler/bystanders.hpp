// Those who watch the scheduler, or explore it, are not there in a model. Included by sources.hpp.
#pragma once

namespace weft::detail {
void observed_sleep::begin() noexcept {}
void observed_sleep::end() noexcept {}
void observe_thread(thread_header*) noexcept {}
void observe_run(thread_header*, control_block&, bool) noexcept {}
void observe_stop(thread_header*, const control_block*) noexcept {}
void observe_blocking(thread_header*, const control_block&) noexcept {}
void observe_unblocked(thread_header*) noexcept {}
void observe_return(thread_header*) noexcept {}
void observe_wake(const control_block&) noexcept {}
void observe_wakes(runtime_core&, const task_list<control_block>&) noexcept {}
void observe_steal(thread_header*, std::uint32_t, const control_block&) noexcept {}
void observe_ready(thread_header*) noexcept {}

// No fiber forks in a model of the scheduler: branches have models of their own.
void spill_branches(thread_header*, control_block&) noexcept {}
control_block* steal_branch(runtime_core&, processor&, std::uint32_t) noexcept {
  return nullptr;
}
bool offers_branches(const processor&) noexcept {
  return false;
}
void stop_branches(runtime_core&, control_block*) noexcept {}

// Nor is one of a scope: their deque is that of the branches, and used as a ring is, by its owner.
control_block* pick_child(processor&) noexcept {
  return nullptr;
}
control_block* steal_child(runtime_core&, processor&, std::uint32_t) noexcept {
  return nullptr;
}
void forget_children(processor&) noexcept {}
bool has_children(const processor&) noexcept {
  return false;
}

void wake_explored(runtime_core&, processor*) noexcept {}
void explore_point(point_kind, const char*) noexcept {}

void hog_watch::look(runtime_core&, nanos, nanos) noexcept {}

// Some fiber may always go on by itself.
standstill look_for_standstill(std::uint32_t) noexcept {
  return {0, false};
}
}  // namespace weft::detail
