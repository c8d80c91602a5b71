// A fiber waits for one owner at most, so from each leads one path, and a cycle is found by
// following it. It is told by its member of the lowest id. Fibers go on meanwhile: a cycle is
// believed if a second round finds every member in the very wait of the first one. Then all of them
// were in it at once, between the rounds.
#include "debug/deadlock.hpp"

#include "debug/describe.hpp"
#include "debug/lock_owner.hpp"
#include "fiber/slab.hpp"

namespace weft::detail {
namespace {
constexpr std::uint32_t longest = 1024;  // members of a cycle
// All steps of a report, some tenths of a second: fibers that join one another in a chain of a
// million would take a million steps each.
constexpr std::uint64_t most_steps = 4'000'000;
constexpr std::uint64_t long_step = 50;     // what one is worth that makes a pipe
constexpr std::uint32_t most_printed = 16;  // cycles

struct search {
  text& out;
  const runtime_core* only;
  std::uint64_t steps = 0;
  std::uint32_t found = 0;
  bool stoppable = false;
};

// The owner of what the fiber waits for; null: it does not wait, or not for an owner.
const control_block* next_of(const control_block& block, fiber_view& view) noexcept {
  if (!read_fiber(block, view) || view.state != fiber_state::parked) return nullptr;
  return owner_of(view.kind, view.on);
}

struct round {
  std::uint32_t length = 0;    // 0: no cycle through the first one
  std::uint64_t checksum = 0;  // of the waits seen
};

round follow(const control_block& first, search& s) noexcept {
  round seen;
  fiber_view view;
  const control_block* at = &first;
  const control_block* mark = nullptr;  // Brent's: a cycle that does not lead through `first`
  unsigned long long id = 0;
  for (std::uint32_t n = 1; n <= longest && s.steps < most_steps; ++n) {
    s.steps += owners_take_long() ? long_step : 1;
    const control_block* next = next_of(*at, view);
    if (!next) return {};
    if (n == 1) id = view.id;
    if (view.id < id) return {};  // told by that one, if it is a cycle
    seen.checksum = (seen.checksum ^ view.id) * 0x9e3779b97f4a7c15ULL + view.word;
    if (next == &first) {
      seen.length = n;
      return seen;
    }
    if (next == mark) return {};
    if ((n & (n - 1)) == 0) mark = next;
    at = next;
  }
  return {};
}

void print(const control_block& first, std::uint32_t length, search& s) noexcept {
  text& out = s.out;
  out.add("a cycle of %u fiber%s, none of which can go on before another:", length,
          length == 1 ? "" : "s");
  out.end_line();
  fiber_view view;
  const control_block* at = &first;
  for (std::uint32_t n = 0; n < length && at; ++n) {
    const control_block* next = next_of(*at, view);
    if (!next) return;
    out.add("  ");
    add_fiber(out, view.id, view.name);
    const auto id = static_cast<unsigned long long>(next->serial.load(std::memory_order_relaxed));
    if (view.kind == wait_kind::join) {
      s.stoppable = true;
      out.add(" waits for the end of fiber %llu", id);
    } else {
      out.add(" waits for the %s at %p, which fiber %llu owns", name_of(view.kind), view.on, id);
    }
    out.end_line();
    at = next;
  }
}

void look(const control_block& block, search& s) noexcept {
  if (s.steps >= most_steps || s.found >= most_printed) return;
  if (s.only && block.rt.load(std::memory_order_relaxed) != s.only) return;
  const round first = follow(block, s);
  if (first.length == 0) return;
  const round second = follow(block, s);
  if (second.length != first.length || second.checksum != first.checksum) return;
  ++s.found;
  print(block, first.length, s);
}
}  // namespace

const control_block* owner_of(wait_kind kind, const void* on) noexcept {
  switch (kind) {
    case wait_kind::join:
      return static_cast<const control_block*>(on);
    case wait_kind::mutex:
    case wait_kind::once:
      return fiber_of(owner_of_lock(on));
    default:
      return nullptr;
  }
}

bool wakes_by_itself(wait_kind kind) noexcept {
  switch (kind) {
    case wait_kind::sleep:
    case wait_kind::readable:
    case wait_kind::writable:
    case wait_kind::poll:
    case wait_kind::blocking:
      return true;
    default:
      return false;
  }
}

cycles print_cycles(text& out, const runtime_core* only) noexcept {
  search s{out, only};
  slab_for_each(
      [](control_block& block, void* arg) noexcept { look(block, *static_cast<search*>(arg)); },
      &s);
  if (s.steps >= most_steps) {
    out.add("more cycles were not looked for: the chains of waiting fibers are too long");
    out.end_line();
  }
  if (s.found == 0) return cycles::none;
  return s.stoppable ? cycles::stoppable : cycles::lasting;
}
}  // namespace weft::detail
