#include "base/fatal.hpp"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "base/atomic.hpp"
#include "chaos.hpp"

namespace weft::detail {
namespace {
[[gnu::format(printf, 1, 0)]] void write_line(const char* format, va_list arguments) noexcept {
  char line[512] = "weft: ";
  constexpr std::size_t prefix = 6;
  const int wanted = std::vsnprintf(line + prefix, sizeof line - prefix - 1, format, arguments);
  std::size_t length = prefix + static_cast<std::size_t>(wanted < 0 ? 0 : wanted);
  if (length > sizeof line - 2) length = sizeof line - 2;
  line[length] = '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, length + 1);
}

constinit atomic<void (*)(int) noexcept> hook{nullptr};
}  // namespace

void dump_when_fatal(void (*dump)(int) noexcept) noexcept {
  hook.store(dump, std::memory_order_relaxed);
}

void report(const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  write_line(format, arguments);
  va_end(arguments);
}

void fatal(const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  write_line(format, arguments);
  va_end(arguments);
  chaos::tell_seed();
  // exchange: once, though the dump itself should fail. relaxed: the hook is a function.
  if (auto* const dump = hook.exchange(nullptr, std::memory_order_relaxed)) dump(STDERR_FILENO);
  std::abort();
}

void throw_system(int error, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw std::system_error(error, std::generic_category(), text);
}
}  // namespace weft::detail
