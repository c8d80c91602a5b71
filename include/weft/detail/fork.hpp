#pragma once
// What the templates of <weft/fork_join.hpp> need from the library.
#include <cstddef>

namespace weft::detail {
// How a branch is run, and which of its call it is. One for each type of callable and place.
struct branch_code {
  void (*run)(void* callable);
  std::size_t index;
};
// A branch that anybody may run: what thieves get. Lies on the caller's stack.
struct branch {
  const branch_code* code;
  void* callable;
};
// The call that its branches belong to. The library makes it. Its branches lie right behind it.
struct alignas(8) fork_frame {
  void* words[6];
};

enum class fork_way {
  offered,   // thieves may take the branches; the caller claims what they have left
  spawned,   // each is a fiber
  crowded,   // the stack has little room: the first must be a fiber, too
  no_fiber,  // called on a kernel thread: nothing has happened
};

// The calling kernel thread, for begin_fork and at once: what comes after may be on another one.
void* fork_thread() noexcept;
// Opens the frame and offers `count` branches, all but the first of the call. Thieves take the last
// one first.
fork_way begin_fork(void* thread, fork_frame&, branch* branches, std::size_t count) noexcept;
// The same for one.
fork_way begin_fork(void* thread, fork_frame&, branch* only) noexcept;
// After `crowded`: makes fibers of all.
void spawn_branches(fork_frame&, branch* branches, std::size_t count) noexcept;
// True: the next branch, in order, is the caller's to run. False: join_branches.
bool claim_branch(fork_frame&) noexcept;
// The same for the last one. True: the frame is closed, and nothing is left of the call but to run
// that branch.
bool claim_last_branch(fork_frame&) noexcept;
// Waits until the branches that have not been claimed, `count` from the first one, have settled.
// Closes the frame, and throws what the first one that failed threw.
void join_branches(fork_frame&, branch* branches, std::size_t count);
// In a handler of what a branch that the caller ran has thrown: stops the others and skips what has
// not begun, waits, closes the frame, and throws that or what another threw before.
[[noreturn]] void abandon_branches(fork_frame&, branch* branches, std::size_t count);
}  // namespace weft::detail
