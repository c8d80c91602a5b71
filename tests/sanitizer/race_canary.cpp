// Data races made on purpose, which ThreadSanitizer must report, and what weft orders, which it
// must not. Were a switch to order what runs before and after it, the races on one worker would be
// missed; did a join not, every program would be accused.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>
#include <weft/weft.hpp>

namespace {
using namespace std::chrono_literals;

int value = 0;

void increment() {
  value = value + 1;
}

// Both live at once, so they have stacks and blocks of their own.
void two_fibers() {
  weft::fiber a([] {
    increment();
    weft::this_fiber::sleep_for(2ms);
  });
  weft::fiber b([] {
    weft::this_fiber::sleep_for(1ms);
    increment();
  });
  a.join();
  b.join();
}

// One has ended before the other begins, on its stack and in its block.
void one_after_another() {
  weft::fiber([] { increment(); }).detach();
  weft::this_fiber::sleep_for(2ms);
  weft::fiber([] { increment(); }).join();
}

// Each makes children of its own, so they share queues, stacks and blocks all the time.
void parents() {
  const auto work = [](bool late) {
    if (!late) increment();
    for (int i = 0; i < 50; ++i) {
      weft::fiber([] { weft::this_fiber::yield(); }).join();
      weft::this_fiber::yield();
    }
    if (late) increment();
  };
  weft::fiber a(work, false), b(work, true);
  a.join();
  b.join();
}

// On a stack that is left by one fiber and taken by the next.
void locals() {
  for (int i = 0; i < 100; ++i) {
    weft::fiber([] {
      int local = 0;
      weft::fiber child([&] { local = 1; });
      child.join();
      local = local + 1;
      if (local != 2) std::abort();
    }).detach();
    weft::this_fiber::yield();
  }
  weft::this_fiber::sleep_for(5ms);
}

void ordered_by_join() {
  for (int i = 0; i < 100; ++i) {
    increment();
    weft::fiber f([] {
      increment();
      weft::this_fiber::yield();
      increment();
    });
    f.join();
    increment();
  }
}

void ordered_by_stop() {
  auto message = std::make_unique<int>(0);
  weft::fiber f([&](std::stop_token stop) {
    while (!stop.stop_requested()) weft::this_fiber::yield();
    if (*message != 7) std::abort();
  });
  weft::fiber g([&] {
    try {
      weft::this_fiber::sleep_for(1h);
    } catch (const weft::operation_canceled&) {
      if (*message != 7) std::abort();
    }
  });
  weft::this_fiber::sleep_for(1ms);
  *message = 7;
  f.request_stop();
  g.request_stop();
  f.join();
  g.join();
}

void ordered_by_gate() {
  std::vector<weft::fiber> fibers;
  for (int i = 0; i < 20; ++i) {
    fibers.emplace_back([] {
      for (int k = 0; k < 20; ++k) weft::blocking(increment);
    });
  }
  for (weft::fiber& f : fibers) f.join();
}

// A wait by io::poll is armed when its fiber is off its stack, on the clock of what runs next
// there: epoll_ctl is not to count as that one's use of the pipe, which has not seen it made.
void ordered_by_pipe() {
  for (int i = 0; i < 20; ++i) {
    weft::fiber writer;
    weft::fiber reader([&writer] {
      int ends[2] = {};
      if (::pipe(ends) != 0) std::abort();  // not one of weft's: each wait arms it
      writer = weft::fiber([to = ends[1]] {
        weft::this_fiber::sleep_for(1ms);
        increment();
        if (weft::io::write(to, "x", 1) != 1) std::abort();
      });
      weft::this_fiber::yield();  // the writer sleeps: nobody is next
      pollfd one{.fd = ends[0], .events = POLLIN, .revents = 0};
      if (weft::io::poll(&one, 1, -1) != 1) std::abort();
      char c = 0;
      if (weft::io::read(ends[0], &c, 1) != 1) std::abort();
      increment();
      writer.join();
      weft::io::close(ends[0]);
      weft::io::close(ends[1]);
    });
    reader.join();
  }
}

// Nothing is read before the increment: what orders it is epoll_ctl, which ties the descriptor to
// the epoll instance, epoll_wait, on whatever clock that is called, and the wake that follows it.
// So the waiter must be parked by then, which a dump tells, and orders nothing.
bool is_dumped(const std::string& what) {
  const int fd = ::memfd_create("dump", MFD_CLOEXEC);
  weft::dump(fd, weft::dump_detail::every_fiber);
  std::string all(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  if (::pread(fd, all.data(), all.size(), 0) < 0) std::abort();
  ::close(fd);
  return all.find(what) != std::string::npos;
}

template <class Wait>
void order_by_wake(const std::string& dumped, Wait wait) {
  for (int i = 0; i < 20; ++i) {
    const int event = ::eventfd(0, EFD_CLOEXEC);
    if (event < 0) std::abort();
    weft::fiber writer([event, &dumped] {
      while (!is_dumped(dumped)) weft::this_fiber::sleep_for(1ms);
      increment();
      const std::uint64_t one = 1;
      if (::write(event, &one, sizeof one) != sizeof one) std::abort();
    });
    weft::fiber waiter([event, wait] {
      if (!wait(event)) std::abort();
      increment();
    });
    waiter.join();
    writer.join();
    weft::io::close(event);
  }
}
void ordered_by_readable() {
  order_by_wake(": readable, fd", [](int event) { return weft::io::wait_readable(event); });
}
void ordered_by_poll() {
  order_by_wake(": io::poll", [](int event) {
    pollfd one{.fd = event, .events = POLLIN, .revents = 0};
    return weft::io::poll(&one, 1, -1) == 1;
  });
}

void ordered_by_end() {
  weft::fiber([] {
    weft::this_fiber::sleep_for(1ms);
    increment();
  }).detach();
}

// On the default runtime, which the process leaves as it is when it ends.
void default_runtime() {
  weft::run([] { increment(); });
  increment();
}

// More than the 8,128 that older ThreadSanitizers know; all alive at once.
void many() {
  constexpr int count = 10'000;
  std::vector<weft::fiber> fibers;
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    fibers.emplace_back([&sum, i] {
      weft::this_fiber::yield();
      if (i < 0) ++sum;
    });
  }
  for (weft::fiber& f : fibers) f.join();
  if (sum != 0) std::abort();
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  const std::string_view what = argv[1];
  const auto workers = static_cast<unsigned>(std::atoi(argv[2]));
  const auto run = [&](void (*f)()) {
    weft::runtime rt({.workers = workers, .max_blocking = 1});
    rt.run(f);
  };
  if (what == "default_runtime")
    default_runtime();
  else if (what == "two_fibers")
    run(two_fibers);
  else if (what == "one_after_another")
    run(one_after_another);
  else if (what == "parents")
    run(parents);
  else if (what == "locals")
    run(locals);
  else if (what == "ordered_by_join")
    run(ordered_by_join);
  else if (what == "ordered_by_stop")
    run(ordered_by_stop);
  else if (what == "ordered_by_gate")
    run(ordered_by_gate);
  else if (what == "ordered_by_pipe")
    run(ordered_by_pipe);
  else if (what == "ordered_by_readable")
    run(ordered_by_readable);
  else if (what == "ordered_by_poll")
    run(ordered_by_poll);
  else if (what == "ordered_by_end")
    run(ordered_by_end);
  else if (what == "many")
    run(many);
  else
    return EXIT_FAILURE;
  if (what.starts_with("ordered")) increment();  // after the end of the runtime
  return EXIT_SUCCESS;
}
