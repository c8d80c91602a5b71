#pragma once
#include "debug/fiber_view.hpp"
#include "debug/names.hpp"
#include "debug/text.hpp"

// The parts of a report's lines.
namespace weft::detail {
// fiber 17 "name"
void add_fiber(text& out, unsigned long long id, const char* name) noexcept;
// What it waits on, as far as it is not the same for all that wait so: " fd 12", " of fiber 3".
void add_object(text& out, wait_kind kind, const void* on) noexcept;
const char* name_of(wait_kind) noexcept;
// spawned at server.cpp:42; see describe_place
void add_site(text& out, const module_map* code, const fiber_view&) noexcept;
// 0.3 s, 12 s, 5 min
void add_duration(text& out, nanos) noexcept;
// A line a frame: file+0x1234 and, where it has one, the function's mangled name.
void add_trace(text& out, const module_map& code, function_names&, const trace&) noexcept;
}  // namespace weft::detail
