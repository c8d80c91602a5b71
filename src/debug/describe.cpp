#include "debug/describe.hpp"

#include "debug/lock_owner.hpp"
#include "fiber/sites.hpp"
#include "trace/record.hpp"

namespace weft::detail {
void add_fiber(text& out, unsigned long long id, const char* name) noexcept {
  out.add("fiber %llu", id);
  if (*name) out.add(" \"%s\"", name);
}

const char* name_of(wait_kind kind) noexcept {
  return name_of(static_cast<trace_why>(kind));  // the same order: sched/observe.cpp
}

void add_object(text& out, wait_kind kind, const void* on) noexcept {
  switch (kind) {
    case wait_kind::join: {
      const auto& other = *static_cast<const control_block*>(on);
      char name[fiber_extras::name_size];
      copy_name(other, name);
      out.add(" of ");
      add_fiber(out, other.serial.load(std::memory_order_relaxed), name);
      break;
    }
    case wait_kind::readable:
    case wait_kind::writable:
      out.add(", fd %ld", reinterpret_cast<long>(on));
      break;
    case wait_kind::sleep: {
      const nanos until = reinterpret_cast<nanos>(on);
      if (until == never) {
        out.add(" for ever");
      } else if (const nanos left = until - now(); left > 0) {
        out.add(", ");
        add_duration(out, left);
        out.add(" to go");
      }
      break;
    }
    case wait_kind::mutex:
    case wait_kind::once: {
      out.add(" at %p", on);
      const owner_id owner = owner_of_lock(on);
      if (const control_block* const fiber = fiber_of(owner)) {
        char name[fiber_extras::name_size];
        copy_name(*fiber, name);
        out.add(", owned by ");
        add_fiber(out, fiber->serial.load(std::memory_order_relaxed), name);
      } else if (owner != 0) {
        out.add(", owned by a kernel thread");
      }
      break;
    }
    case wait_kind::condition:
    case wait_kind::semaphore:
    case wait_kind::event:
    case wait_kind::latch:
    case wait_kind::barrier:
      out.add(" at %p", on);
      break;
    default:
      break;
  }
}

void add_site(text& out, const module_map* code, const fiber_view& view) noexcept {
  char place[256];
  describe_place(site_key_of(view.site_file, view.site_line), code, place, sizeof place);
  out.add("spawned at %s", place);
}

void add_duration(text& out, nanos time) noexcept {
  const nanos ms = time / 1'000'000;
  if (ms < 10'000) {
    out.add("%lld.%lld s", static_cast<long long>(ms / 1000),
            static_cast<long long>(ms % 1000 / 100));
  } else if (ms < 600'000) {
    out.add("%lld s", static_cast<long long>(ms / 1000));
  } else {
    out.add("%lld min", static_cast<long long>(ms / 60'000));
  }
}

void add_trace(text& out, const module_map& code, function_names& names, const trace& t) noexcept {
  char place[256];
  for (std::uint32_t i = 0; i < t.count; ++i) {
    code.describe(t.pc[i], place, sizeof place);
    const char* const name = names.of(code, t.pc[i]);
    out.add("    #%u %s%s%s%s", i, place, *name ? " " : "", name,
            t.guessed >> i & 1 ? " (perhaps)" : "");
    if (t.repeated[i]) out.add(", and %u more of the same", t.repeated[i]);
    out.end_line();
  }
}
}  // namespace weft::detail
