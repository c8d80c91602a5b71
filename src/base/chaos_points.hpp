#pragma once
#include <cstdint>

// Chaos mode: the library does, at random from a seed, what it may do but hardly ever does.
//
// The scheduler asks at its points, in one line each: `if (chaos::strikes(chaos::point::direct))`.
// There are two answers, in two folders of which CMake puts one on the include path: base/plain,
// where everything is empty and the line compiles to nothing, and base/chaos (-DWEFT_CHAOS=ON),
// where a library still behaves like the plain one unless WEFT_CHAOS is set in the environment.
//
// Each point allows only what the scheduler must get along with anyway: chaos makes the rare
// frequent, and adds no behaviour of its own.
namespace weft::detail::chaos {
enum class point : std::uint8_t {
  delay,    // before an atomic operation: some pauses, the CPU given away, rarely a nap
  migrate,  // a fiber leaves its kernel thread: it may not resume there
  slot,     // what is to run next goes to the end of the ring
  inject,   // what is made ready here goes to the inject queue, for anybody
  far,      // the short way to the next fiber is not taken: long look, by the carrier's loop
  order,    // the oldest of the ring goes to its end
  direct,   // no switch straight to the fiber that is joined, or that waits for our end
  steal,    // a carrier that has work of its own steals; a slot's age is not waited for
  wake,     // a futex wait returns at once
  watch,    // the watch, or the monitor's sleep, ends early for no reason
  kick,     // the monitor kicks the watch and wakes an idle processor for no reason
  take,     // a processor inside blocking() is taken at once
  count_
};
}  // namespace weft::detail::chaos
