// Programs whose traces trace_test.cpp looks at. WEFT_TRACE is set when they run.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "support/descriptors.hpp"
#include "support/dumps.hpp"
#include "support/process.hpp"

namespace weft::test {
using namespace std::chrono_literals;

namespace {
std::string contents(const std::string& path) {
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

// On a victim, on a plain thread: until the trace has the text.
void until_traced(const std::string& text) {
  until([&] { return contents(std::getenv("WEFT_TRACE")).find(text) != std::string::npos; });
}

fiber_options named(const char* name, runtime& rt) {
  fiber_options options = on(rt);
  options.name = name;
  return options;
}

// Some of everything.
void do_things(runtime& rt) {
  rt.run([&] {
    const fd_pair pipe = make_pipe();
    fiber sleeper(named("sleeper \"ü\\", rt), [] { this_fiber::sleep_for(3ms); });
    fiber reader(named("reader", rt), [&] { io::wait_readable(pipe[0]); });
    fiber poller(named("poller", rt), [&] {
      pollfd one{.fd = pipe[0], .events = POLLIN, .revents = 0};
      io::poll(&one, 1, -1);
    });
    fiber stopped(named("stopped", rt), [](std::stop_token) { this_fiber::sleep_for(1h); });
    fiber_options placed;
    placed.site = {"some/where.cpp", 12};
    event over;
    fiber held(named("held", rt), [&] { over.wait(); });
    fiber joiner(placed, [&] { held.join(); });
    for (int i = 0; i < 70; ++i) this_fiber::yield();
    fiber caller(named("caller", rt), [] { blocking([] { ::usleep(5000); }); });
    until_dumped("\"reader\" parked");
    until_dumped("\"poller\" parked");
    until_dumped("\"stopped\" parked");
    until_dumped("parked[^\n]*: join[^\n]*where.cpp:12");
    over.set();
    stopped.request_stop();
    [[maybe_unused]] const auto written = ::write(pipe[1], "x", 1);
    for (fiber* f : {&sleeper, &reader, &poller, &stopped, &joiner, &caller}) f->join();
  });
}

TEST(trace_victim, DISABLED_things) {
  runtime rt({.workers = 2});
  do_things(rt);
}

TEST(trace_victim, DISABLED_default_runtime_and_statics) {
  static struct at_end {
    ~at_end() {
      runtime late({.workers = 1});
      late.run([&] { fiber(named("late", late), [] {}).join(); });
    }
  } const before;
  weft::run([] { fiber([] {}).join(); });
  static runtime kept({.workers = 1});
  kept.run([] {});
}

TEST(trace_victim, DISABLED_dies) {
  runtime rt({.workers = 2});
  do_things(rt);
  fiber busy(named("busy", rt), [] {
    for (;;) asm volatile("");
  });
  until_traced("\"busy #");  // runs, where "spawn busy #" would do for less
  // Threads are written one after the other: what led to an event of one may come a pass later.
  for (const char* more : {"once more", "and again"}) {
    fiber(named(more, rt), [] {}).join();
    until_traced(more);
  }
  const std::string how = std::getenv("VICTIM_END");
  if (how == "_exit") ::_exit(0);
  if (how == "quick_exit") std::quick_exit(0);
  if (how == "exit") std::exit(0);
  if (how == "abort") std::abort();
  ::raise(SIGKILL);
}

TEST(trace_victim, DISABLED_forks) {
  runtime rt({.workers = 2});
  do_things(rt);
  // On a plain thread and on fibers. The child is born with events that are not written yet, and
  // ends when the file has gone on without it.
  int round = 0;
  const auto fork_and_wait = [&] {
    const std::string later = "later" + std::to_string(++round);
    fiber(named("before", rt), [] {}).join();
    const pid_t child = ::fork();
    if (child == 0) {
      until_traced(later + " #");
      std::exit(0);
    }
    fiber(named(later.c_str(), rt), [] {}).join();
    EXPECT_EQ(status_of(child), 0);
    EXPECT_EQ(std::system("exec true"), 0);
  };
  fork_and_wait();
  rt.run([&] { blocking(fork_and_wait); });
  rt.run(fork_and_wait);
  rt.run([&] { fiber(named("afterwards", rt), [] {}).join(); });
}

TEST(trace_victim, DISABLED_runs_itself) {
  runtime rt({.workers = 1});
  rt.run([] {});
  const ended other = shell(own_command() + only("trace_victim.DISABLED_things"));
  EXPECT_EQ(other.status, 0);
  std::fputs(other.output.c_str(), stderr);
  rt.run([&] { fiber(named("afterwards", rt), [] {}).join(); });
}

TEST(trace_victim, DISABLED_several_runtimes) {
  runtime a({.workers = 1});
  runtime b({.workers = 2});
  do_things(a);
  do_things(b);
  b.run([&] { fiber(named("other's", a), [] {}).join(); });
  {
    runtime c({.workers = 1});
    do_things(c);
  }
  runtime d({.workers = 1});
  do_things(d);
}

TEST(trace_victim, DISABLED_many_events) {
  runtime rt({.workers = 1});
  rt.run([] {
    fiber other([] {
      for (int i = 0; i < 20'000; ++i) this_fiber::yield();
    });
    other.join();
  });
  until_traced("WEFT_TRACE_LIMIT");
  rt.run([] {
    fiber other([] {
      for (int i = 0; i < 20'000; ++i) this_fiber::yield();
    });
    other.join();
  });
}
}  // namespace
}  // namespace weft::test
