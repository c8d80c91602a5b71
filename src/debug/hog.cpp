#include "debug/hog.hpp"

#include <unistd.h>

#include "debug/describe.hpp"
#include "debug/probe.hpp"
#include "debug/runners.hpp"
#include "debug/scratch.hpp"

namespace weft::detail {
namespace {
constexpr std::size_t most_sites = 256;
constexpr nanos patience = 50'000'000;
constinit atomic<std::uint64_t> told[most_sites]{};

// Whether nothing like it was told before. Never again true once the table is full.
bool is_new(const fiber_view& v, const thread_activity& doing) noexcept {
  std::uint64_t key = reinterpret_cast<std::uintptr_t>(v.site_file) * 0x9e3779b97f4a7c15ULL;
  key = (key ^ v.site_line) * 0x9e3779b97f4a7c15ULL;
  key = (key ^ static_cast<std::uint64_t>(doing.call)) * 0x9e3779b97f4a7c15ULL | 1;
  for (std::size_t i = 0; i < most_sites; ++i) {
    atomic<std::uint64_t>& entry = told[(key + i) % most_sites];
    std::uint64_t seen = entry.load(std::memory_order_relaxed);
    if (seen == 0 && entry.compare_exchange_strong(seen, key, std::memory_order_relaxed,
                                                   std::memory_order_relaxed)) {
      return true;
    }
    if (seen == key) return false;
  }
  return false;
}

struct workspace {
  module_map code;
  function_names names;
  fiber_view view;
  trace stack;
  char buffer[text::room];
};

void add_what_it_does(text& out, const hog& h) noexcept {
  if (h.doing.what == thread_activity::runs) {
    out.add("computing");
  } else if (const char* call = name_of_call(h.doing.call)) {
    out.add("blocked in %s", call);
  } else {
    out.add("blocked in system call %ld", h.doing.call);
  }
}
}  // namespace

void report_hog(const hog& h) noexcept {
  const scratch<workspace> room;
  workspace* const w = room.get();
  if (!w || !read_fiber(*h.fiber, w->view) || !is_new(w->view, h.doing)) return;
  const bool computes = h.doing.what == thread_activity::runs;
  w->code.read();
  if (computes) {
    walk_on_thread(h.tid, *h.fiber, now() + patience, w->stack);
  } else {
    walk_blocked(w->code, h.tid, h.doing, w->stack);
  }
  text out(STDERR_FILENO, w->buffer, sizeof w->buffer);
  out.add("weft: ");
  add_fiber(out, w->view.id, w->view.name);
  out.add(" has held worker %u for %lld ms, ", h.worker,
          static_cast<long long>(h.held / 1'000'000));
  add_what_it_does(out, h);
  out.add("; ");
  add_site(out, &w->code, w->view);
  out.end_line();
  add_trace(out, w->code, w->names, w->stack);
  out.add("weft: no other fiber runs on that worker meanwhile: %s",
          computes ? "call this_fiber::yield() now and then, or compute inside weft::blocking()"
                   : "use the call of weft::io that parks, or make it inside weft::blocking()");
  out.end_line();
}
}  // namespace weft::detail
