// Options of AddressSanitizer for test programs, read by its runtime; called from nowhere in a
// plain build. Without the fake stacks it would not see that a local is used after its function's
// return.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "detect_stack_use_after_return=1";
}

// Tests fork beside threads.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
  return "die_after_fork=0";
}
