// How deep stacks are used, by spawn site: asking, and what a site is called.
#include <unistd.h>
#include <weft/debug.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/environment.hpp"
#include "base/modules.hpp"
#include "base/peek.hpp"
#include "fiber/computation.hpp"
#include "fiber/sites.hpp"
#include "fiber/slab.hpp"
#include "runtime_life.hpp"
#include "sched/observe.hpp"
#include "stack/arena.hpp"
#include "stack/high_water.hpp"
#include "time/join.hpp"

namespace weft {
namespace detail {
namespace {
// Of a fiber that has not ended. It may end and its stack be another's meanwhile: what was seen
// counts only if the fiber is the same afterwards.
void note_living(control_block& block, void*) noexcept {
  const auto id = [&] { return block.serial.load(std::memory_order_relaxed); };
  const std::uint64_t before = id();
  const runtime_core* core = block.rt.load(std::memory_order_relaxed);
  const auto lives = [&] {
    return (peek(block.flags) & fiber_flag::started) != 0 && before != 0 && !has_ended(block);
  };
  if (!core || !(core->observed.load(std::memory_order_relaxed) & observed_by::stacks) ||
      !lives()) {
    return;
  }
  // Asked of the arena: a fiber that enters a context exchanges the two words of its stack.
  // Contexts are not measured.
  stack on;
  if (!stack_arena::instance().find(peek(block.stk.lo), &on) || computation_on(on)) return;
  const site_key from = site_key_of(block);
  const std::size_t used = used_of_stack(on);
  // The stack was read before the fiber is looked at again; pairs with the end's publication.
  fence(std::memory_order_acquire);
  if (!lives() || id() != before || peek(block.stk.lo) != on.lo) return;
  note_stack_use(site_at(site_of(from)), used, static_cast<std::size_t>(on.hi - on.lo));
}

// Calls use(entry) for each site that has figures.
template <class Use>
void for_each_measured(Use&& use) {
  slab_for_each(note_living, nullptr);
  for (std::uint16_t i = 0; i < most_sites; ++i) {
    const spawn_site& site = site_at(i);
    if (site.deepest.load(std::memory_order_relaxed) != 0) use(site, i);
  }
}
}  // namespace

bool measures_stacks(const runtime_options& options) noexcept {
  const char* wish = environment("WEFT_MEASURE_STACKS");
  return options.measure_stacks || (wish && *wish && std::strcmp(wish, "0") != 0);
}

void describe_site(std::uint16_t index, char* to, std::size_t size) noexcept {
  static std::mutex lock;
  static constinit module_map modules;
  const spawn_site& site = site_at(index);
  if (!is_known(site) || !site.key) {
    std::snprintf(to, size, "fiber");
  } else if (site.is_address) {
    // Read once for each such place; what it finds is not to be a text of this one.
    const auto address = reinterpret_cast<std::uintptr_t>(site.key) - 1;
    const std::lock_guard guard(lock);
    modules.read();
    char place[256];
    modules.describe(address, place, sizeof place);
    const char* slash = std::strrchr(place, '/');
    std::snprintf(to, size, "%s", slash ? slash + 1 : place);
  } else {
    const char* slash = std::strrchr(site.file, '/');
    const char* file = slash ? slash + 1 : site.file;
    if (site.line) {
      std::snprintf(to, size, "%s:%u", file, site.line);
    } else {
      std::snprintf(to, size, "%s", file);
    }
  }
}
}  // namespace detail

std::vector<stack_use_of_site> stack_use() {
  std::vector<stack_use_of_site> all;
  detail::for_each_measured([&](const detail::spawn_site& site, std::uint16_t) {
    stack_use_of_site one;
    if (site.is_address) {
      one.address = site.key;
    } else if (site.key) {
      one.file = site.file;
    }
    one.line = site.line;
    one.fibers = site.fibers.load(std::memory_order_relaxed);
    one.deepest = site.deepest.load(std::memory_order_relaxed);
    one.stack_size = site.stack_bytes.load(std::memory_order_relaxed);
    // One place in a header has a string in each object file.
    const auto same = std::find_if(all.begin(), all.end(), [&](const stack_use_of_site& other) {
      return one.file && other.file && one.line == other.line &&
             std::strcmp(one.file, other.file) == 0;
    });
    if (same == all.end()) {
      all.push_back(one);
      return;
    }
    same->fibers += one.fibers;
    if (one.deepest > same->deepest) {
      same->deepest = one.deepest;
      same->stack_size = one.stack_size;
    }
  });
  std::sort(all.begin(), all.end(), [](const stack_use_of_site& a, const stack_use_of_site& b) {
    return a.deepest > b.deepest;
  });
  return all;
}

void dump_stack_use(int fd) noexcept {
  detail::for_each_measured([&](const detail::spawn_site& site, std::uint16_t index) {
    char place[128];
    detail::describe_site(index, place, sizeof place);
    char line[256];
    const int n = std::snprintf(
        line, sizeof line, "stack use %zu of %zu bytes, %llu fibers ended, spawned at %s\n",
        site.deepest.load(std::memory_order_relaxed),
        site.stack_bytes.load(std::memory_order_relaxed),
        static_cast<unsigned long long>(site.fibers.load(std::memory_order_relaxed)), place);
    [[maybe_unused]] const auto written = ::write(fd, line, static_cast<std::size_t>(n));
  });
}
}  // namespace weft
