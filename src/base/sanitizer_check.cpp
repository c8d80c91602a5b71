#include "base/sanitizer_check.hpp"

#include "base/fatal.hpp"
#include "base/sanitizer.hpp"

// Each sanitizer's runtime has its own; a null address means that it is not in this process.
extern "C" {
[[gnu::weak]] void __asan_init();
[[gnu::weak]] void __hwasan_init();
[[gnu::weak]] void __msan_init();
[[gnu::weak]] void __tsan_init();
}

namespace weft::detail {
namespace {
struct sanitizer {
  const char* name;
  const char* option;  // of WEFT_SANITIZE; null: there are no hooks for it
  void (*runtime)();
  bool hooked;
};
}  // namespace

void check_sanitizers() noexcept {
  const sanitizer all[] = {
      {"AddressSanitizer", "address", __asan_init, address_sanitizer},
      {"ThreadSanitizer", "thread", __tsan_init, thread_sanitizer},
      {"MemorySanitizer", nullptr, __msan_init, false},
      {"HWAddressSanitizer", nullptr, __hwasan_init, false},
  };
  for (const sanitizer& s : all) {
    if (!s.runtime || s.hooked) continue;
    if (!s.option) {
      fatal("this program is built with %s, which weft has no hooks for: use %s", s.name,
            "AddressSanitizer (-DWEFT_SANITIZE=address) or Valgrind");
    }
    fatal(
        "this program is built with %s, and the weft that it links is not: it would mistake "
        "switches of stacks for errors. Build weft with -DWEFT_SANITIZE=%s (docs/debugging.md)",
        s.name, s.option);
  }
}
}  // namespace weft::detail
