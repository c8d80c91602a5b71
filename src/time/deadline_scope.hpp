#pragma once
#include "base/clock.hpp"

namespace weft::detail {
// The innermost deadline_scope's deadline of the running fiber or thread; `never` outside of one.
nanos scope_deadline() noexcept;
}  // namespace weft::detail
