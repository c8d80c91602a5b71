// weft::dump. Two passes: who runs, then every block once; what does the same is gathered in groups
// and printed at the end. Everything large lies in pages asked of the kernel for this one dump, so
// that any number may be made at a time, from any state of the process; without them it is a line a
// fiber, as they come.
#include "debug/dump.hpp"

#include "debug/deadlock.hpp"
#include "debug/describe.hpp"
#include "debug/groups.hpp"
#include "debug/runners.hpp"
#include "debug/scratch.hpp"
#include "fiber/slab.hpp"
#include "sched/core_visit.hpp"
#include "sched/threads.hpp"

namespace weft::detail {
namespace {
struct workspace {
  module_map code;
  function_names names;
  runners running;
  fiber_groups groups;
  fiber_view view;
  trace stack;
  char buffer[text::room];
};

struct totals {
  std::uint64_t by_state[5] = {};
  std::uint64_t self_waking = 0;  // parked, and the library will see to it that they wake
  std::uint64_t waits = 0;        // a checksum of who is parked, and in which of its waits
  std::uint64_t all() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : by_state) sum += n;
    return sum;
  }
  std::uint64_t operator[](fiber_state s) const noexcept {
    return by_state[static_cast<std::size_t>(s)];
  }
};

struct job {
  text& out;
  workspace* space;  // null: none to be had
  const runtime_core* only;
  dump_detail detail;
  std::uint32_t stamp;  // as it began
  totals count;
};

void add_state(text& out, const fiber_view& v) noexcept {
  switch (v.state) {
    case fiber_state::fresh:
      return out.add(" not begun");
    case fiber_state::ready:
      return out.add(" ready");
    case fiber_state::running:
      return out.add(" running");
    case fiber_state::blocking:
      return out.add(" inside blocking()");
    case fiber_state::parked:
      return out.add(" parked");
  }
}

bool waits(const fiber_view& v) noexcept {
  return v.state == fiber_state::parked || v.state == fiber_state::blocking;
}

// In stamp_unit. Of a wait that has begun since, and no dump takes longer than an hour, 0.
std::uint32_t age_of(const job& j, std::uint32_t since) noexcept {
  constexpr std::uint32_t an_hour = 1U << 22;
  return since - j.stamp < an_hour ? 0 : j.stamp - since;
}

nanos age_in_nanos(std::uint32_t age) noexcept {
  return nanos{age} * stamp_unit;
}

void add_thread(text& out, const fiber_view& v) noexcept {
  if (v.doing.what != thread_activity::blocked) return;
  if (v.doing.call < 0) {
    out.add(", its thread waits in the kernel for a page");
  } else if (const char* const call = name_of_call(v.doing.call)) {
    out.add(", its thread is blocked in %s", call);
  } else {
    out.add(", its thread is blocked in system call %ld", v.doing.call);
  }
}

// For how long a fiber like `v` has waited, and what for, if it does.
void add_wait(const job& j, const fiber_view& v, std::uint32_t since, const void* on) noexcept {
  if (waits(v)) {
    j.out.add(" for ");
    add_duration(j.out, age_in_nanos(age_of(j, since)));
  }
  if (v.state == fiber_state::parked) {
    j.out.add(": %s", name_of(v.kind));
    add_object(j.out, v.kind, on);
  }
}

// A fiber by itself.
void print_one(const job& j, const fiber_view& v, const trace& stack) noexcept {
  add_fiber(j.out, v.id, v.name);
  add_state(j.out, v);
  if (v.state == fiber_state::running) j.out.add(" on worker %u", v.worker);
  add_thread(j.out, v);
  add_wait(j, v, v.since, v.on);
  j.out.add("; ");
  add_site(j.out, j.space ? &j.space->code : nullptr, v);
  j.out.end_line();
  if (j.space) add_trace(j.out, j.space->code, j.space->names, stack);
}

void print_group(const job& j, const fiber_group& g) noexcept {
  const fiber_view& v = g.first;
  if (g.count == 1) return print_one(j, v, g.stack);
  j.out.add("%llu fibers", static_cast<unsigned long long>(g.count));
  add_state(j.out, v);
  add_thread(j.out, v);
  if (waits(v)) {
    j.out.add(" for ");
    add_duration(j.out, age_in_nanos(g.youngest));
    j.out.add(" to ");
    add_duration(j.out, age_in_nanos(g.oldest));
  }
  if (v.state == fiber_state::parked) j.out.add(": %s", name_of(v.kind));
  j.out.add("; ");
  add_site(j.out, &j.space->code, v);
  j.out.end_line();
  for (std::size_t i = 0; i < fiber_group::shown && i < g.count; ++i) {
    const fiber_group::member& m = g.members[i];
    j.out.add("  ");
    add_fiber(j.out, m.id, m.name);
    add_wait(j, v, m.since, m.on);
    j.out.end_line();
  }
  if (g.count > fiber_group::shown) {
    j.out.add("  and %llu more, the last fiber %llu",
              static_cast<unsigned long long>(g.count - fiber_group::shown), g.last_id);
    j.out.end_line();
  }
  add_trace(j.out, j.space->code, j.space->names, g.stack);
}

// Its stack, and what its thread does.
void look_closer(const workspace& space, fiber_view& v, trace& stack) noexcept {
  const runner* const r = v.state == fiber_state::ready ? space.running.of(v.block, v.id) : nullptr;
  if (r) {
    v.state = fiber_state::running;
    v.worker = r->worker;
    v.doing = r->doing;
    stack = r->stack;
  } else if (v.state == fiber_state::blocking) {
    // The thread may have other things to do by now.
    const auto tid = static_cast<std::int32_t>(reinterpret_cast<std::intptr_t>(v.on));
    look_at_thread(space.code, tid, v.doing, stack);
    if (still_so(v)) return;
    v.doing = {};
    stack.count = 0;
  } else {
    walk_suspended(space.code, v, stack);
  }
}

// In any order.
void note_wait(const fiber_view& v, std::uint64_t& checksum) noexcept {
  checksum += (v.id * 0x9e3779b97f4a7c15ULL ^ v.word) * 0xd6e8feb86659fd93ULL;
}

void take(const control_block& block, job& j) noexcept {
  fiber_view mine;
  fiber_view& v = j.space ? j.space->view : mine;
  if (!read_fiber(block, v) || (j.only && v.core != j.only)) return;
  trace empty;
  trace& stack = j.space ? j.space->stack : empty;
  stack.count = 0;
  if (j.space) look_closer(*j.space, v, stack);
  ++j.count.by_state[static_cast<std::size_t>(v.state)];
  if (v.state == fiber_state::parked) {
    note_wait(v, j.count.waits);
    if (wakes_by_itself(v.kind)) ++j.count.self_waking;
  }
  if (j.detail == dump_detail::grouped && j.space &&
      j.space->groups.add(v, stack, waits(v) ? age_of(j, v.since) : 0)) {
    return;
  }
  print_one(j, v, stack);
}

// Timers of waits that are over stay armed for a while.
bool awaits_deadline(const runtime_core* only) noexcept {
  for (runtime_core* core = first_core(); core; core = core->next_core) {
    if (only && core != only) continue;
    const core_visit visit(*core);
    if (visit && core->events && core->events->awaits_deadline()) return true;
  }
  return false;
}

// A wait is open for a moment before its timer is armed.
bool publishes(const runtime_core* only) noexcept {
  for (const runtime_core* core = first_core(); core; core = core->next_core) {
    if (only && core != only) continue;
    for (std::uint32_t i = 0; i < core->workers; ++i) {
      if (!core->processors[i]->publishing.covers(nullptr)) return true;
    }
  }
  return false;
}

// Each fiber is looked at in its moment: while others run, all may have been seen parked. But if a
// second look finds every one in the very wait of the first, all were in it at once, between them.
bool all_wait_still(const job& j) noexcept {
  struct second_look {
    const runtime_core* only;
    std::uint64_t waits = 0;
    bool others = false;
  } again{j.only};
  slab_for_each(
      [](control_block& block, void* arg) noexcept {
        auto& seen = *static_cast<second_look*>(arg);
        fiber_view v;
        if (!read_fiber(block, v) || (seen.only && v.core != seen.only)) return;
        if (v.state != fiber_state::parked) seen.others = true;
        note_wait(v, seen.waits);
      },
      &again);
  return !again.others && again.waits == j.count.waits;
}

void print_verdict(const job& j) noexcept {
  const totals& n = j.count;
  const cycles found = print_cycles(j.out, j.only);
  const bool stuck = n.all() > 0 && n[fiber_state::parked] == n.all() && n.self_waking == 0 &&
                     all_wait_still(j) && !publishes(j.only) && !awaits_deadline(j.only);
  if (stuck) {
    j.out.add(
        "nothing here can wake any of them: none runs, is ready, or waits for a descriptor, a "
        "timer or blocking()%s; only a thread outside the runtime can",
        found != cycles::none ? "" : ", and no cycle was found");
    j.out.end_line();
  } else if (found == cycles::stoppable) {
    j.out.add("a request_stop() from outside may end a cycle");
    j.out.end_line();
  }
  j.out.add("%llu fibers", static_cast<unsigned long long>(n.all()));
  constexpr struct {
    fiber_state state;
    const char* name;
  } shown[] = {{fiber_state::running, "running"},
               {fiber_state::ready, "ready"},
               {fiber_state::fresh, "not begun"},
               {fiber_state::blocking, "inside blocking()"},
               {fiber_state::parked, "parked"}};
  const char* separator = ": ";
  for (const auto& [state, name] : shown) {
    if (n[state] == 0) continue;
    j.out.add("%s%llu %s", separator, static_cast<unsigned long long>(n[state]), name);
    separator = ", ";
  }
  j.out.end_line();
}

void write_dump(job& j) noexcept {
  if (j.space) {
    j.space->code.read();
    j.space->running.find(j.space->code, j.only);
  }
  slab_for_each(
      [](control_block& block, void* arg) noexcept { take(block, *static_cast<job*>(arg)); }, &j);
  if (j.space) {
    j.space->groups.sort();
    for (std::size_t i = 0; i < j.space->groups.size(); ++i) print_group(j, j.space->groups[i]);
  }
  print_verdict(j);
  j.out.flush();
}
}  // namespace

void dump_fibers(int fd, const runtime_core* only, dump_detail detail) noexcept {
  const scratch<workspace> room;
  workspace* const space = room.get();
  char little[text::longest];
  text out(fd, space ? space->buffer : little, space ? sizeof space->buffer : sizeof little);
  job j{out, space, only, detail, stamp_now(), {}};
  write_dump(j);
}
}  // namespace weft::detail
