#pragma once
#include "trace/ring.hpp"

// The trace of the process: WEFT_TRACE=file in the environment of the first runtime's start. Events
// go through a ring of each thread to one thread that writes the file (writer.cpp).
namespace weft::detail {
// What the writer asks of higher layers: the text of a spawn site, "file.cpp:12". Runs on the
// writer's thread.
using site_text_fn = void (*)(std::uint16_t site, char* to, std::size_t size) noexcept;

// Any thread, at the start of each runtime; only the first call opens the file. False: no trace was
// asked for, or it could not be begun (one line on stderr says why), or it has ended.
bool start_trace(site_text_fn) noexcept;
// Whether events are still wanted. Any thread.
bool tracing() noexcept;
// A new ring, never to be freed; null: no memory. One thread at a time produces.
trace_ring* make_trace_ring() noexcept;
// For threads that have no ring: into a shared one, under a lock. Sets the records' tid.
void trace_foreign(trace_record* records, std::uint64_t count) noexcept;
// The writer has half a ring to do.
void wake_trace_writer() noexcept;
}  // namespace weft::detail
