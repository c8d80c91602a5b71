#include "check.hpp"

#include <atomic>
#include <memory>
#include <weft/weft.hpp>  // all of it in one file

namespace {
std::atomic<int> checks{0};
std::atomic<int> failures{0};
}  // namespace

void check(bool holds, const char* what, const char* file, int line) {
  ++checks;
  if (holds) return;
  ++failures;
  std::printf("%s:%d: %s: does not hold on a %s\n", file, line, what,
              on_fiber() ? "fiber" : "kernel thread");
}

bool on_fiber() {
  return weft::this_fiber::get_id() != weft::fiber::id();
}

beside::beside(callable* owned) : fiber_(on_fiber()) {
  const auto run = [owned] { std::unique_ptr<callable>(owned)->run(); };
  what_ = fiber_ ? static_cast<void*>(new weft::fiber(run)) : new std::thread(run);
}
void beside::join() {
  if (!what_) return;
  if (fiber_) {
    auto* const it = static_cast<weft::fiber*>(what_);
    it->join();
    delete it;
  } else {
    auto* const it = static_cast<std::thread*>(what_);
    it->join();
    delete it;
  }
  what_ = nullptr;
}

int main() {
  const auto everywhere = [] {
    mutexes();
    shared_mutexes();
    conditions();
    counts();
    futures();
    channels();
    selects();
    locals();
    contexts();
  };
  everywhere();
  runtimes();
  weft::run(everywhere);
  fibers();
  tasks();
  cancellation();
  posix();
  streams();
  debugging();
  if (failures == 0) std::printf("the interface is as declared\n");
  return failures == 0 ? 0 : 1;
}
