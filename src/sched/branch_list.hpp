#pragma once
#include "base/spin_lock.hpp"

// The branches of fork_joins that run on fibers of their own: who is to be told when what they run
// below is stopped.
//
// A branch's fiber puts a node on the list of the processor it begins on before it runs anything of
// the user's, and takes it off before it settles: until then every frame in its chain lives. So
// under a list's lock the chains of all that are on it may be walked.
//
// INVARIANT. When a frame is stopped, or its owner asked to stop, every fiber that runs a branch
// below has cancel_bit::frame_stopped, and no wait of it that may be cancelled goes on.
//   the branch:  B1 count := count + 1   B2 on the list   B3 looks at its chain; sets its own bit
//   who stops:   S1 frame stopped, or the owner's stop bit set      S2 looks at the count
//                S3 for each on a list whose chain is stopped: sets its bit
//                S4 heavy fence         S5 for each of them: ends its wait, as park/cancel.cpp does
// Proof. B1, B3, S1 and S2 are sequentially consistent. S2 finds none: B1 comes behind it, and B3
// behind S1, so the branch sees it by itself. Else S3 comes to the branch's list. It finds the
// branch there, or B2 comes later under the same lock, and B3 sees S1 again. A wait that begins
// with the bit set ends by itself, and one that was open at S5 is ended there: the bit is C1, and
// S4 and S5 are C2 and C3, of the proof in park/cancel.cpp.
//
// The owner of a frame that a branch stops is told likewise, by name: it is in the call, because
// the branch has not settled. It takes its bit back when the call ends (sched/branch_join.cpp).
namespace weft::detail {
struct cancel_frame;
struct control_block;
struct runtime_core;

struct branch_node {
  control_block* fiber = nullptr;
  const cancel_frame* below = nullptr;  // the innermost frame at its beginning
  bool told = false;                    // S5 has been here
  branch_node* previous = nullptr;
  branch_node* next = nullptr;
};

struct branch_list {
  spin_lock lock;
  branch_node* first = nullptr;  // guarded by lock
};

// On the branch's fiber, first and last: B1 to B3, and their end.
class listed_branch {
 public:
  explicit listed_branch(const cancel_frame& below) noexcept;
  ~listed_branch();
  listed_branch(const listed_branch&) = delete;
  listed_branch& operator=(const listed_branch&) = delete;

 private:
  branch_node node_;
  runtime_core* core_;
  branch_list* list_;
};

// Any thread, after S1: S2 to S5, for all whose chain is stopped, by whomever. So the caller names
// nobody who might be gone. `owner`: of the frame that another fiber has stopped; else null.
void stop_branches(runtime_core&, control_block* owner) noexcept;
}  // namespace weft::detail
