#include <weft/debug.hpp>

#include <unistd.h>

#include <cstdio>

#include "context/context.hpp"
#include "fiber/extras.hpp"
#include "fiber/slab.hpp"
#include "runtime_life.hpp"
#include "sched/core.hpp"
#include "time/join.hpp"

// gdb finds the script here, in every program that links the library (docs/HACKING.md). Format: a
// byte 4 for "Python text", a name of one line, the text, a zero.
asm(R"(
        .pushsection .debug_gdb_scripts, "MS", @progbits, 1
        .byte   4
        .ascii  "weft-gdb.py\n"
        .incbin ")" WEFT_GDB_SCRIPT R"("
        .byte   0
        .popsection
)");

// The script reads it, whatever the backend. Kept though no code does.
namespace weft::detail {
[[gnu::used]] extern constinit const frame_offsets gdb_suspended_frame = suspended_frame;
}

namespace weft {
namespace detail {
namespace {
const char* name_of(wait_kind kind) noexcept {
  switch (kind) {
    case wait_kind::none:
      return "";
    case wait_kind::join:
      return "join of";
    case wait_kind::sleep:
      return "sleep";
    case wait_kind::readable:
      return "readable, fd";
    case wait_kind::writable:
      return "writable, fd";
    case wait_kind::blocking:
      return "blocking()";
    case wait_kind::run:
      return "run()";
    case wait_kind::event:
      return "event";
  }
  return "?";
}

struct request {
  int fd;
  const runtime_core* only;
  unsigned long long count;
};

void print(control_block& block, void* arg) {
  auto& to = *static_cast<request*>(arg);
  const unsigned long long serial = block.serial.load(std::memory_order_relaxed);
  const runtime_core* core = block.rt.load(std::memory_order_relaxed);
  if (serial == 0 || has_ended(block) || (to.only && core != to.only)) return;
  ++to.count;
  // What it waits on is believed only if the same wait is still open after it was read.
  const std::uint32_t word = block.word.futex_value();
  const wait_kind kind = block.waits_for;
  const void* on = block.waits_on;
  const bool parked = wait_word::is_parked(word) && block.word.futex_value() == word;
  char name[fiber_extras::name_size];
  copy_name(block, name);
  char line[320];
  int n = std::snprintf(line, sizeof line, "fiber %llu \"%s\" %s", serial, name,
                        parked                              ? "parked: "
                        : block.flags & fiber_flag::started ? "running or ready"
                                                            : "not begun");
  const auto room = [&] { return sizeof line - static_cast<std::size_t>(n) - 2; };
  if (parked || kind == wait_kind::blocking) {
    n += std::snprintf(line + n, room(), "%s", name_of(kind));
    if (kind == wait_kind::readable || kind == wait_kind::writable) {
      n += std::snprintf(line + n, room(), " %ld", reinterpret_cast<long>(on));
    } else if (kind == wait_kind::join && parked) {
      const auto* other = static_cast<const control_block*>(on);
      n += std::snprintf(
          line + n, room(), " fiber %llu",
          static_cast<unsigned long long>(other->serial.load(std::memory_order_relaxed)));
    }
  }
  if (block.flags & fiber_flag::return_site) {
    n += std::snprintf(line + n, room(), ", spawned at %p",
                       static_cast<const void*>(block.site_file));
  } else if (block.site_file) {
    n +=
        std::snprintf(line + n, room(), ", spawned at %.160s:%u", block.site_file, block.site_line);
  }
  if (n > static_cast<int>(sizeof line) - 2) n = sizeof line - 2;
  line[n++] = '\n';
  [[maybe_unused]] const auto written = ::write(to.fd, line, static_cast<std::size_t>(n));
}
}  // namespace

void dump_runtime(int fd, const runtime_core* only) noexcept {
  request to{fd, only, 0};
  slab_for_each([](control_block& block, void* arg) noexcept { print(block, arg); }, &to);
  char line[64];
  const int n = std::snprintf(line, sizeof line, "%llu fibers\n", to.count);
  [[maybe_unused]] const auto written = ::write(fd, line, static_cast<std::size_t>(n));
}
}  // namespace detail

void dump(int fd) noexcept {
  detail::dump_runtime(fd, nullptr);
}
}  // namespace weft
