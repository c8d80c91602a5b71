#pragma once

namespace weft::detail {
// What the tests queue.
struct task {
  int id = 0;
  task* next = nullptr;
  int runs = 0;  // plain, so that a sanitizer sees a task that is run twice as a race
};
}  // namespace weft::detail
