#pragma once
#include <cstddef>

namespace weft::detail {
// The alternate signal stack of a carrier, from its start to its end. A handler that reports a
// stack overflow cannot run on the stack that overflowed. One for each kernel thread, none for
// fibers: a handler neither parks nor switches, so it ends on the thread where it began.
//
// A thread that has one already (a sanitizer's) keeps it. No memory is no error: an overflow then
// ends the process without a report.
class signal_stack {
 public:
  signal_stack() noexcept;
  ~signal_stack();  // on the same thread
  signal_stack(const signal_stack&) = delete;
  signal_stack& operator=(const signal_stack&) = delete;

 private:
  void* base_ = nullptr;   // of the mapping; its first page is the guard
  std::size_t bytes_ = 0;  // of the mapping
};
}  // namespace weft::detail
