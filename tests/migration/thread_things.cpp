#include <cerrno>

#include "round.hpp"

namespace weft::migration {
namespace {
int* (*volatile ask_errno_location)() noexcept = __errno_location;
pthread_t (*volatile ask_self)() noexcept = pthread_self;
abi::__cxa_eh_globals* (*volatile ask_globals)() noexcept = abi::__cxa_get_globals;
detail::thread_header* (*volatile ask_header)() noexcept = detail::current;

struct note {
  std::atomic<pid_t> thread{0};
  std::atomic<bool> written{false};
  thread_things things{};
};
constinit std::array<note, 1024> notes;
}  // namespace

thread_things thread_things::now() noexcept {
  return {ask_self(), ask_errno_location(), ask_globals(), ask_header()};
}

const thread_things& noted_for(pid_t thread) noexcept {
  for (std::size_t at = static_cast<std::size_t>(thread);; ++at) {
    note& here = notes[at % notes.size()];
    pid_t seen = here.thread.load(std::memory_order_acquire);
    if (seen == 0 && here.thread.compare_exchange_strong(seen, thread)) {
      // Only the thread itself asks for its own number.
      here.things = thread_things::now();
      here.written = true;
      return here.things;
    }
    if (seen != thread) continue;
    MUST(here.written);
    return here.things;
  }
}
}  // namespace weft::migration
