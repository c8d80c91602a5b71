#pragma once
#include "base/modules.hpp"
#include "base/symbols.hpp"

namespace weft::detail {
// The functions of a report's frames: many stacks share few. Names are looked up while that takes
// few look-ups; frames beyond have module and offset only. In memory that is all zero at first.
class function_names {
 public:
  // "" when there is none to be had.
  const char* of(const module_map& code, std::uintptr_t pc) noexcept {
    entry& e = entries_[pc / 4 % size];
    if (e.pc == pc) return e.name;
    if (looked_up_ == most_look_ups) return "";
    ++looked_up_;
    e.pc = pc;
    e.name[0] = 0;
    const module_map::place at = code.locate(pc);
    if (at.path && !find_symbol(at.path, at.offset, e.name, sizeof e.name)) e.name[0] = 0;
    return e.name;
  }

 private:
  static constexpr std::size_t size = 1024;
  static constexpr std::size_t most_look_ups = 500;
  struct entry {
    std::uintptr_t pc;
    char name[248];
  };
  std::size_t looked_up_;
  entry entries_[size];
};
}  // namespace weft::detail
