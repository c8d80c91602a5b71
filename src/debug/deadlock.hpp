#pragma once
#include "debug/fiber_view.hpp"
#include "debug/text.hpp"

namespace weft::detail {
// The fiber that must act before a wait of this kind on `on` can end; null: none in particular. The
// seam for whatever has an owner: a fiber's end has the fiber, a lock the one that holds it. `on`
// is valid as long as the waiter is parked in this wait, which the caller checks afterwards.
const control_block* owner_of(wait_kind kind, const void* on) noexcept;

// Whether that wait can end by something that the library sees to: a descriptor, a clock, a call in
// blocking() that returns.
bool wakes_by_itself(wait_kind kind) noexcept;

// `lasting`: of all that were found, none has a wait that a stop request could end.
enum class cycles { none, stoppable, lasting };
// Prints every cycle of fibers that wait for one another, of one runtime or of all (null). Bounded
// in time.
cycles print_cycles(text& out, const runtime_core* only) noexcept;
}  // namespace weft::detail
