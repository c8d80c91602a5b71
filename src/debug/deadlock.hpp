#pragma once
#include "debug/fiber_view.hpp"
#include "debug/text.hpp"

namespace weft::detail {
// Who must act before a wait of this kind on `on` can end; null: nobody in particular. The seam for
// whatever has an owner: a fiber's end has the fiber, and a mutex will have the one that locked it.
// `on` is valid as long as the waiter is parked in this wait, which the caller checks afterwards.
const control_block* owner_of(wait_kind kind, const void* on) noexcept;

// Whether that wait can end by something that the library sees to: a descriptor, a clock, a call in
// blocking() that returns.
bool wakes_by_itself(wait_kind kind) noexcept;

// Prints every cycle of fibers that wait for one another, of one runtime or of all (null). False:
// there is none. Bounded in time.
bool print_cycles(text& out, const runtime_core* only) noexcept;
}  // namespace weft::detail
