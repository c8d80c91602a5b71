#pragma once

namespace weft::detail {
// Ends the process with a line that says what to do if the program is built with a sanitizer that
// this library was not built for: it would take switches of stacks for errors, or see none. Any
// thread; called when a runtime starts.
void check_sanitizers() noexcept;
}  // namespace weft::detail
