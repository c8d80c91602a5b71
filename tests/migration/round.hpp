#pragma once
// One round: a fiber crosses to another kernel thread, and all that is its own must still be so.
#include <cxxabi.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <weft/io.hpp>

#include "base/current.hpp"
#include "ferry.hpp"

namespace weft::migration {
[[noreturn]] inline void mismatch(const char* what, const char* file, int line) {
  std::fprintf(stderr, "MISMATCH: %s (%s:%d, fiber %llu, kernel thread %d)\n", what, file, line,
               static_cast<unsigned long long>(this_fiber::get_id().value()),
               static_cast<int>(kernel_thread()));
  std::fflush(nullptr);
  std::_Exit(1);
}
#define MUST(holds)                                                               \
  do {                                                                            \
    if (!(holds)) ::weft::migration::mismatch("not " #holds, __FILE__, __LINE__); \
  } while (false)

// What belongs to a kernel thread. Asked for through pointers that a compiler does not know, since
// glibc and libstdc++ declare all of these functions const.
struct thread_things {
  pthread_t self;
  int* errno_address;
  abi::__cxa_eh_globals* exceptions;
  detail::thread_header* header;

  static thread_things now() noexcept;
  bool operator==(const thread_things&) const = default;
};
// The same for a kernel thread whenever it is asked; noted when it is first.
const thread_things& noted_for(pid_t thread) noexcept;

// A traveller is a fiber that makes rounds.
class traveller {
 public:
  explicit traveller(ferries& all, unsigned number) : ferries_(all), turn_(number) {}

  long rounds() const noexcept { return rounds_; }
  long moves() const noexcept { return moves_; }

  // By force in line, so that what a check uses after the park could be what it found before.
  [[gnu::always_inline]] void round() {
    const int mine = static_cast<int>(++turn_ & 0xffff) + 1;
    const fiber::id id = this_fiber::get_id();
    const detail::control_block* const block = detail::current()->fiber;
    const pid_t from = kernel_thread();
    const int uncaught = std::uncaught_exceptions();
    const std::exception_ptr handled = std::current_exception();
    MUST(detail::current() == noted_for(from).header);
    errno = mine;
    ferries_.cross(turn_);
    MUST(errno == mine);
    const pid_t to = kernel_thread();
    const thread_things& things = noted_for(to);
    MUST(detail::current() == things.header);
    MUST(detail::current()->errno_address == things.errno_address);
    MUST(static_cast<void*>(detail::current()->exceptions) == things.exceptions);
    MUST(thread_things::now() == things);
    MUST(&errno == things.errno_address);
    MUST(detail::current()->fiber == block);
    MUST(this_fiber::get_id() == id);
    MUST(std::uncaught_exceptions() == uncaught);
    MUST(std::current_exception() == handled);
    ++rounds_;
    moves_ += from != to;
  }

  unsigned turn() const noexcept { return turn_; }
  ferries& all() const noexcept { return ferries_; }
  // What another traveller did in this one's name.
  void add(const traveller& other) noexcept {
    rounds_ += other.rounds_;
    moves_ += other.moves_;
  }

 private:
  ferries& ferries_;
  unsigned turn_;
  long rounds_ = 0, moves_ = 0;
};

// The journeys: each makes some rounds.
void journey_plain(traveller&);
void journey_of_calls(traveller&);
void journey_in_handlers(traveller&);
void journey_while_unwinding(traveller&);
void journey_of_exceptions(traveller&);

// How often errno was another's, when it is read as glibc has it: what the matrix must notice.
long wrong_by_glibc(traveller&, int times);
}  // namespace weft::migration
