#pragma once

namespace weft::detail {
// Whether exit() has begun: what is destroyed from here on may have waiters that will never run.
bool is_exiting() noexcept;
// Any thread, before it makes anything that waits: exit() is noted from now on, and before the
// destructors of all statics that exist already.
void note_exit() noexcept;
}  // namespace weft::detail
