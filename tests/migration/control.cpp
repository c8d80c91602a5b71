// The mistake that all of this guards against, made on purpose: errno as glibc has it, whose
// accessor is const, so that the address found before a park may be used after it.
#include "round.hpp"

#undef errno
#define errno (*__errno_location())

namespace weft::migration {
[[gnu::noinline]] long wrong_by_glibc(traveller& t, int times) {
  long wrong = 0;
  for (int i = 1; i <= times; ++i) {
    errno = i;
    t.all().cross(t.turn() + static_cast<unsigned>(i));
    wrong += errno != i;
  }
  return wrong;
}
}  // namespace weft::migration
