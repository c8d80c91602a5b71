// What a runtime has counted, as one line of JSON.
#pragma once

#include <cstdio>
#include <weft/runtime.hpp>

namespace example {

inline void print_stats(const weft::runtime_stats& stats) {
  const auto number = [](auto value) { return static_cast<unsigned long long>(value); };
  const auto& calls = stats.syscalls;
  std::printf(
      "{\"workers\": %u, \"threads\": %u, \"fibers_alive\": %llu, \"fibers_spawned\": %llu, "
      "\"switches\": %llu, \"steals\": %llu, \"wakes\": %llu, \"sleeps\": %llu, "
      "\"watch_holds\": %llu, \"looks\": %llu, \"stacks_in_use\": %llu, \"stacks_cached\": %llu, "
      "\"guard_tier\": \"%s\", ",
      stats.workers, stats.threads, number(stats.fibers_alive), number(stats.fibers_spawned),
      number(stats.switches), number(stats.steals), number(stats.wakes), number(stats.sleeps),
      number(stats.watch_holds), number(stats.looks), number(stats.stacks_in_use),
      number(stats.stacks_cached), stats.guard_tier);
  std::printf(
      "\"system_calls\": {\"epoll_wait\": %llu, \"epoll_ctl\": %llu, \"eventfd_write\": %llu, "
      "\"futex_wait\": %llu, \"futex_wake\": %llu, \"read\": %llu, \"write\": %llu, "
      "\"accept\": %llu, \"connect\": %llu, \"poll\": %llu, \"close\": %llu, \"other\": %llu}}\n",
      number(calls.epoll_wait), number(calls.epoll_ctl), number(calls.eventfd_write),
      number(calls.futex_wait), number(calls.futex_wake), number(calls.read), number(calls.write),
      number(calls.accept), number(calls.connect), number(calls.poll), number(calls.close),
      number(calls.other));
}

}  // namespace example
