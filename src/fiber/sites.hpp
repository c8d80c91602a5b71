#pragma once
#include <cstddef>
#include <cstdint>

#include "base/atomic.hpp"
#include "base/modules.hpp"
#include "fiber/control_block.hpp"

// The places in the source where fibers are spawned, for traces and for figures by place. A table
// of the process, filled only while somebody asks for such things.
namespace weft::detail {
struct spawn_site {
  static constexpr std::size_t file_size = 168;

  atomic<std::uint32_t> state{0};  // see sites.cpp
  std::uint32_t line = 0;
  const void* key = nullptr;  // control_block::site_file: a string, or a return address
  bool is_address = false;    // what key is
  char file[file_size] = {};  // a copy: the string's module may be unloaded. Its end, if it is long
  atomic<std::uint64_t> fibers{0};     // whose stack use is in `deepest`, ended ones
  atomic<std::size_t> deepest{0};      // bytes of stack that one of them used at most
  atomic<std::size_t> stack_bytes{0};  // of the stack on which that was
};

inline constexpr std::uint16_t other_sites = 0;  // those that found the table full
inline constexpr std::uint16_t most_sites = 2048;

// What a block says of its place; not to be followed before the block is known to be the fiber's.
struct site_key {
  const char* file;  // control_block::site_file
  std::uint32_t line;
  bool is_address;
};
site_key site_key_of(const control_block&) noexcept;
// Of control_block::site_file and its line.
site_key site_key_of(const char* file, std::uint32_t line) noexcept;
// "server.cpp:42", "weft::run", "file+0x1234" or, without `code`, the bare address. "an unknown
// place" of a block whose first fiber is being made. Signal-safe.
void describe_place(const site_key&, const module_map* code, char* to, std::size_t size) noexcept;
// Any thread; lock-free but for the first two fibers of a place.
std::uint16_t site_of(const site_key&) noexcept;
// For a block that its caller has exclusively.
inline std::uint16_t site_of(const control_block& block) noexcept {
  return site_of(site_key_of(block));
}
spawn_site& site_at(std::uint16_t index) noexcept;
// Whether the entry is in use.
bool is_known(const spawn_site&) noexcept;
// Any thread: a fiber of the site has used `used` bytes of a stack of `of`.
void note_stack_use(spawn_site&, std::size_t used, std::size_t of) noexcept;
}  // namespace weft::detail
