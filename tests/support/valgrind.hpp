#pragma once
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(number) static_cast<void>(number)
#endif

namespace weft::test {
inline bool on_valgrind() noexcept {
  return RUNNING_ON_VALGRIND != 0;
}

// A stack of a test's own, told to Valgrind for as long as it lives: it takes a switch to one that
// it does not know for a very large frame, whose bytes are undefined.
class valgrind_stack {
 public:
  valgrind_stack(const void* low, const void* high) noexcept
      : number_(static_cast<unsigned>(VALGRIND_STACK_REGISTER(low, high))) {}
  ~valgrind_stack() { VALGRIND_STACK_DEREGISTER(number_); }
  valgrind_stack(const valgrind_stack&) = delete;
  valgrind_stack& operator=(const valgrind_stack&) = delete;

 private:
  unsigned number_;
};
}  // namespace weft::test
