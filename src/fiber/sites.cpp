#include "fiber/sites.hpp"

#include <cstdio>
#include <cstring>

#include "base/peek.hpp"

namespace weft::detail {
namespace {
// An entry is claimed by compare-and-swap, filled, and never changes again.
enum : std::uint32_t { empty, filling, known };
constinit spawn_site table[most_sites];

std::size_t hash(const void* key, std::uint32_t line) noexcept {
  std::uint64_t h = reinterpret_cast<std::uintptr_t>(key) * 0x9e3779b97f4a7c15ULL + line;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ULL;
  return static_cast<std::size_t>(h >> 40);
}

void fill(spawn_site& site, const site_key& key) noexcept {
  site.key = key.file;
  site.line = key.line;
  site.is_address = key.is_address;
  if (!key.is_address && key.file) {
    const std::size_t size = std::strlen(key.file);
    const std::size_t skip = size < spawn_site::file_size ? 0 : size - spawn_site::file_size + 1;
    std::memcpy(site.file, key.file + skip, size - skip);
  }
}

bool is_of(const spawn_site& site, const site_key& key) noexcept {
  return site.key == key.file && site.line == key.line;
}
}  // namespace

site_key site_key_of(const control_block& block) noexcept {
  return site_key_of(peek(block.site_file), peek(block.site_line));
}

site_key site_key_of(const char* file, std::uint32_t line) noexcept {
  const auto word = reinterpret_cast<std::uintptr_t>(file);
  const bool is_address = (word & address_mark) != 0;
  return {reinterpret_cast<const char*>(word & ~address_mark), line, is_address};
}

void describe_place(const site_key& key, const module_map* code, char* to,
                    std::size_t size) noexcept {
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(key.file) - 1;  // in the call
  if (key.is_address && code) {
    code->describe(address, to, size);
  } else if (key.is_address) {
    std::snprintf(to, size, "0x%zx", static_cast<std::size_t>(address));
  } else if (!key.file) {  // a block's first fiber, that is being made
    std::snprintf(to, size, "an unknown place");
  } else if (key.line == 0) {
    std::snprintf(to, size, "%.160s", key.file);
  } else {
    std::snprintf(to, size, "%.160s:%u", key.file, key.line);
  }
}

std::uint16_t site_of(const site_key& key) noexcept {
  constexpr std::size_t probes = 64;
  const std::size_t first = hash(key.file, key.line);
  for (std::size_t i = 0; i < probes; ++i) {
    const std::size_t at = (first + i) % most_sites;
    if (at == other_sites) continue;
    spawn_site& site = table[at];
    // acquire: pairs with the release below.
    std::uint32_t state = site.state.load(std::memory_order_acquire);
    if (state == empty &&
        site.state.compare_exchange_strong(state, filling, std::memory_order_acquire,
                                           std::memory_order_acquire)) {
      fill(site, key);
      site.state.store(known, std::memory_order_release);
      return static_cast<std::uint16_t>(at);
    }
    while (state == filling) {
      cpu_relax();
      state = site.state.load(std::memory_order_acquire);
    }
    if (is_of(site, key)) return static_cast<std::uint16_t>(at);
  }
  return other_sites;
}

spawn_site& site_at(std::uint16_t index) noexcept {
  return table[index];
}

bool is_known(const spawn_site& site) noexcept {
  // acquire: pairs with the release in site_of.
  return site.state.load(std::memory_order_acquire) == known;
}

void note_stack_use(spawn_site& site, std::size_t used, std::size_t of) noexcept {
  std::size_t deepest = site.deepest.load(std::memory_order_relaxed);
  while (used > deepest) {
    if (site.deepest.compare_exchange_weak(deepest, used, std::memory_order_relaxed)) {
      site.stack_bytes.store(of, std::memory_order_relaxed);
      return;
    }
  }
}
}  // namespace weft::detail
