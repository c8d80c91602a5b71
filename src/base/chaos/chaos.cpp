// Chaos mode decides.
#include "chaos.hpp"
#include "base/errno.hpp"

#include <sched.h>
#include <time.h>

#include <cstdlib>
#include <cstring>

#include "base/atomic.hpp"
#include "base/current.hpp"
#include "base/environment.hpp"
#include "base/fatal.hpp"

namespace weft::detail::chaos {
bool active = false;

namespace {
constexpr std::size_t points = static_cast<std::size_t>(point::count_);
constexpr const char* names[points] = {"delay",  "migrate", "slot", "inject", "far",  "order",
                                       "direct", "steal",   "wake", "watch",  "kick", "take"};
constexpr std::uint32_t always = 256;

constexpr std::uint64_t mix(std::uint64_t x) noexcept {  // the finaliser of splitmix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

// What one seed does more or less of. Chances of 256.
struct settings {
  const char* text = "";
  std::uint64_t seed = 0;
  bool readable = true;
  std::uint32_t chance[points] = {};
  std::uint32_t calm = 0;  // operations between two delays, on average half of it

  settings() noexcept;

 private:
  bool read_names(const char* list) noexcept;
};

settings::settings() noexcept {
  const char* const given = environment("WEFT_CHAOS");
  if (!given || !*given) return;
  text = given;
  char* end = nullptr;
  seed = std::strtoull(given, &end, 0);
  // The seed also chooses how rough it gets, so that twenty seeds are not twenty times the same.
  const std::uint64_t drawn = mix(seed);
  const auto one_of = [&](int at, const std::uint32_t(&choice)[4]) {
    return choice[drawn >> (2 * at) & 3];
  };
  const std::uint32_t all[points] = {0,
                                     always,
                                     one_of(0, {always, always, always, 128}),
                                     one_of(1, {16, 64, 64, 128}),
                                     one_of(2, {4, 16, 32, 64}),
                                     one_of(3, {16, 64, 64, 128}),
                                     one_of(4, {64, 128, 128, 256}),
                                     one_of(5, {16, 32, 64, 128}),
                                     one_of(6, {16, 32, 64, 128}),
                                     one_of(7, {16, 32, 64, 128}),
                                     one_of(8, {16, 32, 64, 128}),
                                     one_of(9, {32, 64, 128, 256})};
  std::memcpy(chance, all, sizeof chance);
  calm = one_of(10, {64, 128, 512, 2048});
  chance[0] = always;
  readable = end != given && (*end == 0 || (*end == ':' && read_names(end + 1)));
  active = readable;
}

// ":migrate,slot" after the seed: only these points strike.
bool settings::read_names(const char* list) noexcept {
  bool named[points] = {};
  for (;;) {
    const std::size_t length = std::strcspn(list, ",");
    std::size_t i = 0;
    while (i < points && (std::strlen(names[i]) != length || std::strncmp(names[i], list, length)))
      ++i;
    if (i == points) return false;
    named[i] = true;
    if (list[length] == 0) break;
    list += length + 1;
  }
  for (std::size_t i = 0; i < points; ++i) {
    if (!named[i]) chance[i] = 0;
  }
  return true;
}

// Before the statics of the program, which may be runtimes.
[[gnu::init_priority(101)]] const settings chosen;

// Roles beyond this share the last place.
constexpr std::uint32_t roles = 64;
struct episode_state {
  undelayed<std::uint32_t> number{1};
  undelayed<std::uint64_t> name{0};
  undelayed<std::uint32_t> born[roles]{};
};
constinit episode_state episode;
constinit undelayed<std::uint64_t> strike_counts[points]{};

std::uint32_t place_of(std::uint32_t role) noexcept {
  return role < roles ? role : roles - 1;
}

void assume_identity(thread_state& me) noexcept {
  if (me.episode == 0 && me.role == 0) {
    me.birth = episode.born[0].fetch_add(1, std::memory_order_relaxed);
  }
  me.episode = episode.number.load(std::memory_order_relaxed);
  me.identity = mix(mix(chosen.seed ^ episode.name.load(std::memory_order_relaxed)) ^
                    (std::uint64_t{me.role} << 32 | me.birth));
  me.calm = 0;
  std::memset(me.came_by, 0, sizeof me.came_by);
}

// 64 bits for this visit.
std::uint64_t draw(thread_state& me, point at) noexcept {
  if (me.episode != episode.number.load(std::memory_order_relaxed)) assume_identity(me);
  const auto i = static_cast<std::size_t>(at);
  return mix(me.identity ^ (std::uint64_t{i + 1} << 56 | me.came_by[i]++));
}

void nap(std::uint64_t nanoseconds) noexcept {
  const timespec length{0, static_cast<long>(nanoseconds)};
  ::nanosleep(&length, nullptr);
}

// Mostly a few cycles, so that many pairs of operations change their order; now and then long
// enough for everybody else to get very far.
void wait_some(std::uint64_t drawn) noexcept {
  const std::uint64_t how_long = drawn >> 16;
  switch (drawn & 255) {
    case 0:
      return nap(50'000 + how_long % 1'000'000);
    case 1:
    case 2:
    case 3:
      return nap(how_long % 50'000);
    default:
      if ((drawn & 255) < 40) {  // beside other processes each takes one of their turns
        ::sched_yield();
        return;
      }
      for (std::uint64_t i = how_long % 64; i != 0; --i) cpu_relax();
  }
}
}  // namespace

void delay_slow() noexcept {
  thread_state& me = current()->chaotic;
  if (me.calm-- != 0) return;
  me.calm = 0;  // below zero otherwise, if a handler interrupts us here
  if (chosen.chance[0] == 0) {
    me.calm = ~0u;
    return;
  }
  const std::uint64_t drawn = draw(me, point::delay);
  // Rarer with time: whoever walks over a hundred thousand fibers gets there, too.
  const std::uint32_t so_far = me.came_by[static_cast<std::size_t>(point::delay)];
  me.calm = static_cast<std::uint32_t>(drawn >> 32) % chosen.calm * (1 + so_far / 1024);
  const int before = errno;
  wait_some(drawn);
  errno = before;
}

bool strikes_slow(point at) noexcept {
  const auto i = static_cast<std::size_t>(at);
  const std::uint32_t chance = chosen.chance[i];
  thread_header* const header = current();
  if (chance == 0 || header->exploring) return false;  // there every choice is the exploration's
  if ((draw(header->chaotic, at) & 255) >= chance) return false;
  strike_counts[i].fetch_add(1, std::memory_order_relaxed);
  return true;
}

nanos sooner(nanos until) noexcept {
  if (!strikes(point::watch)) return until;
  const auto ahead = static_cast<nanos>(draw(current()->chaotic, point::watch) % 1'000'000);
  const nanos early = now() + ahead;
  return early < until ? early : until;
}

void name_thread(std::uint32_t role) noexcept {
  thread_state& me = current()->chaotic;
  me = {};
  me.role = role;
  me.birth = episode.born[place_of(role)].fetch_add(1, std::memory_order_relaxed);
}

void announce(bool aloud) {
  if (!chosen.readable) {
    throw_system(EINVAL,
                 "weft: WEFT_CHAOS is \"%s\"; it must be a seed, 7, or a seed and the only points "
                 "that are to strike, 7:migrate,wake (delay, migrate, slot, inject, far, order, "
                 "direct, steal, wake, watch, kick, take)",
                 chosen.text);
  }
  static const bool told = [aloud] {
    if (aloud) tell_seed();
    return true;
  }();
  static_cast<void>(told);
}

void tell_seed() noexcept {
  if (active) report("chaos mode, WEFT_CHAOS=%s", chosen.text);
}

void begin_episode(const char* name) noexcept {
  std::uint64_t hash = 0;
  for (const char* c = name; *c; ++c) hash = mix(hash ^ static_cast<unsigned char>(*c));
  episode.name.store(hash, std::memory_order_relaxed);
  for (auto& count : episode.born) count.store(0, std::memory_order_relaxed);
  episode.number.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t struck(point at) noexcept {
  return strike_counts[static_cast<std::size_t>(at)].load(std::memory_order_relaxed);
}

const char* setting() noexcept {
  return active ? chosen.text : "";
}
}  // namespace weft::detail::chaos
