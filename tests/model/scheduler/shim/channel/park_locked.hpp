// A park that is the model's: channel.cpp says what it is.
#pragma once
#include "base/spin_lock.hpp"
#include "park/park.hpp"

namespace weft::detail {
wake_reason park_fiber_locked(thread_header*, wait_kind, const void* on, spin_lock&) noexcept;
bool offers_branches(const thread_header*) noexcept;
void spill_now(thread_header*) noexcept;
}  // namespace weft::detail
