#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#include "trace/probes.hpp"

// Each probe's semaphore, by the name that <sys/sdt.h> expects: raised by the tool, from outside.
extern "C" {
#define WEFT_PROBE(name)     \
  [[gnu::section(".probes"), \
    gnu::visibility("hidden")]] volatile unsigned short weft_##name##_semaphore
WEFT_PROBE(spawn) = 0;
WEFT_PROBE(run) = 0;
WEFT_PROBE(stop) = 0;
WEFT_PROBE(wake) = 0;
WEFT_PROBE(steal) = 0;
WEFT_PROBE(sleep) = 0;
WEFT_PROBE(awake) = 0;
#undef WEFT_PROBE
}

namespace weft::detail {
bool probes_attached() noexcept {
  return (weft_spawn_semaphore | weft_run_semaphore | weft_stop_semaphore | weft_wake_semaphore |
          weft_steal_semaphore | weft_sleep_semaphore | weft_awake_semaphore) != 0;
}

void probe_spawn(std::uint64_t id, std::uint64_t by, const char* file,
                 std::uint32_t line) noexcept {
  STAP_PROBE4(weft, spawn, id, by, file, line);
}
void probe_run(std::uint64_t id, std::uint32_t worker) noexcept {
  STAP_PROBE2(weft, run, id, worker);
}
void probe_stop(std::uint64_t id, std::uint32_t why, std::uint64_t arg) noexcept {
  STAP_PROBE3(weft, stop, id, why, arg);
}
void probe_wake(std::uint64_t id, std::uint64_t by, std::uint32_t why) noexcept {
  STAP_PROBE3(weft, wake, id, by, why);
}
void probe_steal(std::uint32_t worker, std::uint32_t from, std::uint64_t id) noexcept {
  STAP_PROBE3(weft, steal, worker, from, id);
}
void probe_sleep(std::uint32_t thread, std::uint32_t how) noexcept {
  STAP_PROBE2(weft, sleep, thread, how);
}
void probe_awake(std::uint32_t thread, std::uint32_t how) noexcept {
  STAP_PROBE2(weft, awake, thread, how);
}
}  // namespace weft::detail
