#include "chaos.hpp"

#include "base/environment.hpp"
#include "base/fatal.hpp"

namespace weft::detail::chaos {
void announce() {
  static const bool told = [] {
    const char* const seed = environment("WEFT_CHAOS");
    if (!seed || !*seed) return false;
    report(
        "WEFT_CHAOS is set, but this library has no chaos mode: build weft with -DWEFT_CHAOS=ON");
    return true;
  }();
  static_cast<void>(told);
}
}  // namespace weft::detail::chaos
