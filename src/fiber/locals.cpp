#include "fiber/locals.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "base/fatal.hpp"
#include "base/spin_lock.hpp"
#include "fiber/extras.hpp"

namespace weft::detail {
namespace {
constexpr int most_rounds = 8;

// Between a fiber that sets a value and those that run branches of it (inherit_from): they read its
// list as it may be exchanged. Rare on both sides, so one for all.
constinit spin_lock handing;

atomic<std::uint32_t>& owners_of(inherited_value& value) noexcept {
  static_assert(sizeof(atomic<std::uint32_t>) == sizeof value.owners);
  return reinterpret_cast<atomic<std::uint32_t>&>(value.owners);
}

// Whether the caller was the last owner, and everybody's use of it is over.
bool let_go(atomic<std::uint32_t>& owners) noexcept {
  order_release(&owners);  // pairs with the acquire below
  // acq_rel: release, what this owner did is over; acquire, so is what the others did.
  if (owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  order_acquire(&owners);
  order_forget(&owners);
  return true;
}

void let_go(inherited_value* value) noexcept {
  if (value && let_go(owners_of(*value))) value->destroy(value);
}

void let_go(inheritance* of) noexcept {
  if (!of || !let_go(of->owners)) return;
  for (std::uint32_t i = 0; i < of->size; ++i) let_go(of->values()[i]);
  of->~inheritance();
  std::free(of);
}

inheritance* make_inheritance(std::uint32_t size) {
  void* const memory = std::calloc(1, sizeof(inheritance) + size * sizeof(inherited_value*));
  if (!memory) throw std::bad_alloc();
  auto* const made = ::new (memory) inheritance;
  made->size = size;
  return made;
}
}  // namespace

local_values::~local_values() {
  std::free(slots);
  let_go(inherited);
}

const inherited_value* local_values::find_inherited(local_key key) const noexcept {
  if (!inherited || key.slot >= inherited->size) return nullptr;
  const inherited_value* const found = inherited->values()[key.slot];
  return found && found->key.number == key.number ? found : nullptr;
}

void local_values::make_room(std::uint32_t slot) {
  if (slot < size) return;
  std::uint32_t wanted = size ? size : 8;
  while (wanted <= slot) wanted *= 2;
  void* const grown = std::realloc(slots, wanted * sizeof *slots);
  if (!grown) throw std::bad_alloc();
  slots = static_cast<local_value**>(grown);
  std::memset(slots + size, 0, (wanted - size) * sizeof *slots);
  size = wanted;
}

void local_values::unlink(local_value* value) noexcept {
  (value->newer ? value->newer->older : newest) = value->older;
  if (value->older) value->older->newer = value->newer;
  if (slots[value->key.slot] == value) slots[value->key.slot] = nullptr;
}

void local_values::add(local_value* value) {
  make_room(value->key.slot);
  // Of an object that is gone, whose slot this one has. At the end it is in the list of the round.
  local_value* const stale = slots[value->key.slot];
  if (stale && !ending) unlink(stale);
  slots[value->key.slot] = value;
  value->older = newest;
  if (newest) newest->newer = value;
  newest = value;
  if (stale && !ending) stale->destroy(stale);  // last: it may come back here
}

void local_values::reset(local_key key) noexcept {
  local_value* const found = find(key);
  if (!found || ending) return;
  unlink(found);
  found->destroy(found);
}

void local_values::set(inherited_value* value) {
  const std::uint32_t slot = value->key.slot;
  const std::uint32_t before = inherited ? inherited->size : 0;
  inheritance* const made = make_inheritance(slot < before ? before : slot + 1);
  for (std::uint32_t i = 0; i < before; ++i) {
    made->values()[i] = inherited->values()[i];
    // relaxed: our own inheritance owns it meanwhile.
    if (i != slot && made->values()[i]) {
      owners_of(*made->values()[i]).fetch_add(1, std::memory_order_relaxed);
    }
  }
  made->values()[slot] = value;
  inheritance* former;
  {
    const spin_guard guard(handing);
    former = std::exchange(inherited, made);
  }
  let_go(former);
}

void local_values::run_actions() noexcept {
  while (exit_action* const action = actions) {
    actions = action->next;
    action->run(action);
  }
}

// What the actions let go of may use fiber_locals once more, so the rounds go on behind them. What
// was inherited is seen until there is nothing else left, and its destructors may do all that anew.
bool local_values::end() noexcept {
  ending = true;
  int round = 0;
  do {
    for (; newest && round < most_rounds; ++round) {
      local_value* left = std::exchange(newest, nullptr);
      while (left) {
        local_value* const value = left;
        left = value->older;
        if (slots[value->key.slot] == value) slots[value->key.slot] = nullptr;
        value->destroy(value);
      }
    }
    run_actions();
    if (newest && round < most_rounds) continue;
    if (inherited) ++round;
    let_go(std::exchange(inherited, nullptr));
    run_actions();
  } while ((newest || inherited) && round < most_rounds);
  ending = false;
  return newest == nullptr && !inherited;
}

void end_locals(control_block& me) noexcept {
  // As in a cancel_shield.
  me.shielded = 1;
  me.deadline = never;
  if (!extras_of(me).locals.end()) {
    report(
        "fiber %llu ends, and after %d rounds the destructors of its fiber_locals still make "
        "values anew: those are left behind",
        static_cast<unsigned long long>(me.serial.load(std::memory_order_relaxed)), most_rounds);
  }
  me.shielded = 0;
  me.flags &= static_cast<std::uint8_t>(~fiber_flag::has_locals);
}

void inherit_from(const control_block& owner, control_block& me) {
  // acquire: pairs with the release in extras_of.
  const fiber_extras* const its = owner.extras.load(std::memory_order_acquire);
  if (!its) return;
  local_values& mine = extras_of(me).locals;
  if (mine.inherited) return;  // as it was made
  const spin_guard guard(handing);
  if (!its->locals.inherited) return;
  // relaxed: `owner` owns it meanwhile, and what it holds was written before it came there.
  its->locals.inherited->owners.fetch_add(1, std::memory_order_relaxed);
  mine.inherited = its->locals.inherited;
  me.flags |= fiber_flag::has_locals;
}

void inherit(inheritance& of, control_block& to) {
  local_values& mine = extras_of(to).locals;
  // relaxed: the spawner owns it meanwhile, and the spawn publishes it.
  of.owners.fetch_add(1, std::memory_order_relaxed);
  mine.inherited = &of;
  to.flags |= fiber_flag::has_locals;
}
}  // namespace weft::detail
