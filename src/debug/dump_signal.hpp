#pragma once

namespace weft::detail {
// From now on the signal that WEFT_DUMP_SIGNAL names has all fibers dumped to stderr. Only the
// first call does something; any thread. Throws std::system_error if the variable names no signal,
// or one that cannot serve.
void dump_on_signal();
}  // namespace weft::detail
