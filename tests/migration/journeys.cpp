// Rounds outside of exceptions: between reads of errno, and in every call that may change threads.
#include <unistd.h>

#include <chrono>
#include <weft/blocking.hpp>

#include "round.hpp"

namespace weft::migration {
void journey_plain(traveller& t) {
  for (int i = 0; i < 8; ++i) {
    const pid_t before = kernel_thread();
    MUST(thread_things::now() == noted_for(before));
    t.round();
  }
}

namespace {
void other_parks(traveller& t) {
  const fiber::id id = this_fiber::get_id();
  errno = 4711;
  this_fiber::yield();
  MUST(errno == 4711);
  this_fiber::sleep_for(std::chrono::nanoseconds(1));
  MUST(errno == 4711);
  traveller child(t.all(), t.turn());
  fiber([&] {
    MUST(errno == 0);
    child.round();
  }).join();
  MUST(errno == 4711);
  t.add(child);
  weft::blocking([] { errno = 4712; });
  MUST(errno == 4712 || errno == 4711);  // a blocking section may leave its thread's behind
  MUST(this_fiber::get_id() == id);
  MUST(thread_things::now() == noted_for(kernel_thread()));
}

// A call that parks, fails, and returns its error on another kernel thread than it began on.
void error_from_elsewhere(traveller& t) {
  int ends[2];
  MUST(io::pipe(ends) == 0);
  traveller child(t.all(), t.turn());
  fiber closer([&] {
    child.round();
    child.round();
    MUST(io::close(ends[0]) == 0);
  });
  errno = 0;
  char c;
  const ssize_t n = io::read(ends[0], &c, 1);
  const int error = errno;
  MUST(n == -1 && error == EBADF);
  closer.join();
  MUST(io::close(ends[1]) == 0);
  t.add(child);
}
}  // namespace

void journey_of_calls(traveller& t) {
  other_parks(t);
  error_from_elsewhere(t);
}
}  // namespace weft::migration
