// Errors made on purpose, on a fiber, each of which a sanitizer or Valgrind must report. Were it
// told of switches wrongly, it could fall silent there, and every other test would pass.
#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <weft/context.hpp>
#include <weft/weft.hpp>

namespace {
using namespace std::chrono_literals;

// The compiler is not to see what is wrong here. Not inlined, because clang puts no local of a
// function with assembly on a fake stack.
template <class T>
[[gnu::noinline]] T* opaque(T* p) {
  asm volatile("" : "+r"(p));
  return p;
}

// Parks, and has other fibers run meanwhile on this thread: some that end, some that do not.
void park() {
  weft::fiber other([] { weft::this_fiber::sleep_for(1ms); });
  weft::this_fiber::sleep_for(5ms);
  other.join();
}

int read_beyond_array() {
  int array[8] = {};
  park();
  return opaque(array)[8];
}

[[gnu::noinline]] int* address_of_local() {
  int local = 7;
  park();
  return opaque(&local);
}

int read_after_return() {
  const int* gone = address_of_local();
  park();
  return *gone;
}

int read_after_free() {
  int* const gone = opaque(new int(7));
  park();
  delete gone;
  return *opaque(gone);
}

int overflow() {
  int most = std::numeric_limits<int>::max();
  park();
  return *opaque(&most) + 1;
}

// Nobody points to it any more when the process ends.
[[gnu::noinline]] void lose() {
  opaque(new char[64]);
}
// What returned frames have left of pointers goes. On the stack itself, not on a fake one.
[[gnu::noinline, gnu::no_sanitize_address]] void scrub() {
  char frame[32768];
  std::memset(opaque(&frame), 0, sizeof frame);
}
int leak() {
  lose();
  scrub();
  park();
  return 0;
}

// Nothing to report: a fiber that is parked when the process ends still points to it, from its
// stack and from nowhere else.
int hold() {
  weft::fiber([] {
    char* const held = opaque(new char[64]);
    weft::this_fiber::sleep_for(24h);
    delete[] held;
  }).detach();
  park();
  std::exit(0);
}

// Nothing to report: a throw clears the shadow of the stack it is on, and of no other.
int throw_through_arrays() {
  for (int i = 0; i < 100; ++i) {
    try {
      int array[8] = {};
      park();
      if (opaque(array)[i % 8] == 0) throw std::runtime_error("on purpose");
    } catch (const std::runtime_error&) {
      park();
    }
  }
  return 0;
}

// In a context on a fiber, which another one resumes after it has been suspended.
int in_a_context(int (*f)()) {
  weft::context<int> inner([f](auto& yield) {
    yield(0);
    yield(f());
  });
  weft::fiber([&inner] { inner.resume(); }).join();
  return *inner.resume();
}
}  // namespace

int main(int argc, char** argv) {
  std::string_view wrong = argc == 2 ? argv[1] : "";
  weft::runtime rt({.workers = 1});
  constexpr std::string_view context = "context_";
  const bool inside = wrong.starts_with(context);
  if (inside) wrong.remove_prefix(context.size());
  const auto run = [&](int (*f)()) {
    return rt.run([f, inside] { return inside ? in_a_context(f) : f(); });
  };
  if (wrong == "beyond_array") return run(read_beyond_array);
  if (wrong == "after_return") return run(read_after_return);
  if (wrong == "after_free") return run(read_after_free);
  if (wrong == "overflow") return run(overflow);
  if (wrong == "leak") return run(leak);
  if (wrong == "hold") return run(hold);
  if (wrong == "nothing") return run(throw_through_arrays);
  return EXIT_FAILURE;
}
