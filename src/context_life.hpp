#pragma once
#include "fiber/computation.hpp"

// What the files about contexts in the top layer share.
namespace weft::detail {
// Its first frame, below the closure.
context fresh_context(computation&) noexcept;
// In the context, first and last: its whole life, and what it ended by.
void run_computation(computation&, void* in) noexcept;
// The calling plain thread resumes a context for the first time.
void prepare_thread(thread_header*) noexcept;

// Who does it, for reports: "fiber 12", "a kernel thread".
struct doer {
  char text[64];
  doer() noexcept;
};
inline const void* as_object(const computation& c) noexcept {
  return &c;
}
}  // namespace weft::detail
