#pragma once
// What AddressSanitizer and ThreadSanitizer must be told by whoever switches stacks. Types and
// functions that are empty in a plain build (sanitizer_none.hpp, where each is described), so that
// nobody else asks which build it is.
//
// AddressSanitizer keeps for each kernel thread the bounds of the stack that runs, to know which
// part of its shadow a throw or longjmp clears, and a fake stack, where it puts locals to notice
// their use after the function's return. Both are the fiber's, and change when stacks do. From the
// announcement to the arrival it has no fake stack, and knows both stacks by their bounds: what
// runs in between, after functions included, may do anything but switch.
//
// ThreadSanitizer keeps a vector clock: what this computation has seen of the others. See
// sanitizer_thread.hpp.
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WEFT_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WEFT_ADDRESS_SANITIZER
#endif

#if defined(WEFT_ADDRESS_SANITIZER)
#include "base/sanitizer_address.hpp"
#elif defined(WEFT_THREAD_SANITIZER)
#include "base/sanitizer_thread.hpp"
#else
#include "base/sanitizer_none.hpp"
#endif
