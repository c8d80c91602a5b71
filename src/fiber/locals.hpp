#pragma once
#include <weft/detail/at_exit.hpp>
#include <weft/detail/locals.hpp>

#include "base/atomic.hpp"
#include "base/current.hpp"

// What a fiber or kernel thread holds of fiber_locals and inherited_locals, and what is to be done
// when it ends. Of a fiber it lies in its extras, of a thread on the heap. Owner only: the fiber,
// or who spawns it before it runs.
namespace weft::detail {
// The values of inherited_locals that a fiber sees. Shared with those that it has spawned, and
// therefore not changed: a fiber that sets one gets a new one.
struct inheritance {
  atomic<std::uint32_t> owners{1};
  std::uint32_t size = 0;
  // By slot; behind the inheritance.
  inherited_value** values() noexcept { return reinterpret_cast<inherited_value**>(this + 1); }
};

struct local_values {
  local_value** slots = nullptr;
  std::uint32_t size = 0;
  bool ending = false;
  local_value* newest = nullptr;
  inheritance* inherited = nullptr;
  exit_action* actions = nullptr;  // the latest first

  local_values() noexcept = default;
  local_values(const local_values&) = delete;
  local_values& operator=(const local_values&) = delete;
  ~local_values();

  local_value* find(local_key key) const noexcept {
    if (key.slot >= size) return nullptr;
    local_value* const found = slots[key.slot];
    return found && found->key.number == key.number ? found : nullptr;
  }
  const inherited_value* find_inherited(local_key) const noexcept;
  // May throw std::bad_alloc.
  void add(local_value*);
  void set(inherited_value*);
  void reset(local_key) noexcept;
  // The fiber's or thread's last act with them: on it, and it may park. False: destructors go on
  // making values anew, and those are left behind.
  bool end() noexcept;
  // Those that are there, and those that they add.
  void run_actions() noexcept;

 private:
  void unlink(local_value*) noexcept;
  void make_room(std::uint32_t slot);
};

// The running fiber's end; its block is flagged. May park.
void end_locals(control_block&) noexcept;
// The spawner: the fiber to be sees what it sees itself. May throw std::bad_alloc.
void inherit(inheritance&, control_block&);
// The running fiber, which does part of what `owner` does, while that waits for it or goes on
// beside it: the same, as `owner` sees it now. May throw std::bad_alloc.
void inherit_from(const control_block& owner, control_block& me);
}  // namespace weft::detail
