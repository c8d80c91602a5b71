// The spin lock: one holder at a time, who sees what the holders before it wrote.
#include "base/spin_lock.hpp"

#include "model.hpp"

namespace {

using model::check;
using model::checked;
using weft::detail::spin_guard;
using weft::detail::spin_lock;

template <int Threads>
struct counting : model::test<counting<Threads>, Threads> {
  spin_lock lock;
  checked<int> count;

  void thread(unsigned) {
    const spin_guard guard(lock);
    count = count + 1;
  }

  void after() { check(count == Threads, "an increment was lost"); }
};

struct trying : model::test<trying, 2> {
  spin_lock lock;
  checked<int> count;
  checked<int> refused[2];

  void thread(unsigned index) {
    if (lock.try_lock()) {
      count = count + 1;
      lock.unlock();
    } else {
      refused[index] = 1;
    }
  }

  void after() {
    check(count + refused[0] + refused[1] == 2, "neither taken nor refused");
    check(count >= 1, "a free lock was refused to both");
  }
};

}  // namespace

int main() {
  return model::run(
      {
          model::full<counting<2>>("two threads count"),
          model::full<trying>("two threads try"),
          model::bounded<counting<3>>(3, "three threads count"),
      },
      "base/spin_lock.hpp");
}
