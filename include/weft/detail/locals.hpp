#pragma once
// What the templates of <weft/local.hpp> need from the library.
#include <cstdint>

namespace weft::detail {
// One fiber_local or inherited_local object. Its slot is used again when it is gone, its number is
// not.
struct local_key {
  std::uint32_t slot;
  std::uint64_t number;
};
// May throw std::bad_alloc.
local_key take_local_key();
void drop_local_key(local_key) noexcept;

// In front of each fiber's value of a fiber_local.
struct local_value {
  local_key key;
  void (*destroy)(local_value*) noexcept;  // and frees
  local_value* older = nullptr;            // of the same fiber, made before
  local_value* newer = nullptr;
};
// The running fiber's or thread's, or null.
local_value* find_local(local_key) noexcept;
// Hands it over. May throw std::bad_alloc, std::system_error.
void add_local(local_value*);
// Destroys it, if there is one.
void reset_local(local_key) noexcept;

// In front of each value of an inherited_local. Shared by fibers, and not changed.
struct inherited_value {
  local_key key;
  void (*destroy)(inherited_value*) noexcept;  // and frees
  std::uint32_t owners = 1;                    // atomic: src/fiber/locals.cpp
};
// The running fiber's or thread's, or null.
const inherited_value* find_inherited(local_key) noexcept;
// For the running fiber or thread, and those that it spawns from now on. May throw, and has not
// taken it then.
void set_inherited(inherited_value*);
}  // namespace weft::detail
