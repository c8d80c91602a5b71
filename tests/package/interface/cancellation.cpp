// Which calls are cancellation points, and what they throw: deadline.hpp, cancel_shield.hpp,
// operation_canceled.hpp
#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <weft/barrier.hpp>
#include <weft/cancel_shield.hpp>
#include <weft/channel.hpp>
#include <weft/condition_variable.hpp>
#include <weft/deadline.hpp>
#include <weft/event.hpp>
#include <weft/fork_join.hpp>
#include <weft/future.hpp>
#include <weft/io.hpp>
#include <weft/latch.hpp>
#include <weft/mutex.hpp>
#include <weft/net.hpp>
#include <weft/scope.hpp>
#include <weft/select.hpp>
#include <weft/semaphore.hpp>

#include "check.hpp"

namespace {
using namespace std::chrono_literals;

// Looked at on entry, before the effect: also where the call would not have to wait.
template <class F>
void is_a_point(const char* what, F call) {
  bool stopped = false;
  bool expired = false;
  weft::fiber asked([&] {
    weft::this_fiber::get_stop_token();
    while (!weft::this_fiber::get_stop_token().stop_requested()) weft::this_fiber::yield();
    try {
      call();
    } catch (const weft::operation_canceled&) {
      stopped = true;
    }
  });
  asked.request_stop();
  asked.join();
  check(stopped, what, __FILE__, __LINE__);
  weft::fiber late([&] {
    const weft::deadline_scope over(-1s);
    try {
      call();
    } catch (const weft::deadline_exceeded& error) {
      expired = error.code() == std::errc::timed_out;
    }
  });
  late.join();
  check(expired, what, __FILE__, __LINE__);
}

template <class F>
void is_none(const char* what, F call) {
  bool through = false;
  weft::fiber asked([&] {
    const weft::deadline_scope over(-1s);
    while (!weft::this_fiber::get_stop_token().stop_requested()) weft::this_fiber::yield();
    call();
    through = true;
  });
  asked.request_stop();
  asked.join();
  check(through, what, __FILE__, __LINE__);
}
}  // namespace

void cancellation() {
  static_assert(!std::is_base_of_v<std::exception, weft::operation_canceled>);
  static_assert(std::is_base_of_v<std::system_error, weft::deadline_exceeded>);
  weft::run([] {
    is_a_point("sleep_for", [] { weft::this_fiber::sleep_for(1ns); });
    is_a_point("sleep_until",
               [] { weft::this_fiber::sleep_until(std::chrono::steady_clock::now()); });
    is_a_point("fiber::join", [] { weft::fiber([] {}).join(); });
    is_a_point("channel::send", [] { weft::channel<int>(1).send(1); });
    is_a_point("channel::receive", [] { weft::channel<int>(1).receive(); });
    is_a_point("select", [] {
      weft::channel<int> c(1);
      weft::select(weft::on_send(c, 1, [] {}));
    });
    is_a_point("future::get", [] {
      weft::promise<int> p;
      p.set_value(1);
      p.get_future().get();
    });
    is_a_point("future::wait", [] {
      weft::promise<int> p;
      p.set_value(1);
      p.get_future().wait();
    });
    is_a_point("semaphore", [] { weft::binary_semaphore(1).acquire(); });
    is_a_point("event", [] {
      weft::event e;
      e.set();
      e.wait();
    });
    is_a_point("latch", [] { weft::latch(0).wait(); });
    is_a_point("barrier", [] { weft::barrier<>(1).arrive_and_wait(); });
    is_a_point("net", [] { weft::net::tcp_listener::bind("127.0.0.1:0").accept(); });

    is_none("mutex", [] {
      weft::mutex m;
      std::lock_guard lock(m);
    });
    is_none("timed_mutex", [] {
      weft::timed_mutex m;
      CHECK(m.try_lock_for(1h));
      m.unlock();
    });
    is_none("condition_variable", [] {
      weft::mutex m;
      weft::condition_variable c;
      std::unique_lock lock(m);
      CHECK(c.wait_for(lock, 1ms) == std::cv_status::timeout);
    });
    is_none("condition_variable_any", [] {
      weft::mutex m;
      weft::condition_variable_any c;
      std::unique_lock lock(m);
      CHECK(!c.wait(lock, weft::this_fiber::get_stop_token(), [] { return false; }));
    });
    is_none("call_once", [] {
      weft::once_flag flag;
      weft::call_once(flag, [] {});
    });
    is_none("io::close", [] {
      int ends[2];
      CHECK(weft::io::pipe(ends) == 0);
      CHECK(weft::io::close(ends[0]) == 0 && weft::io::close(ends[1]) == 0);
    });
    is_none("~fiber", [] { weft::fiber([] {}); });
    is_none("~scope", [] {
      weft::scope s;
      s.spawn([] {});
    });
    is_none("scope::join", [] {
      weft::scope s;
      s.spawn([] {});
      s.join();
    });
    is_none("yield", [] { weft::this_fiber::yield(); });
    is_none("in a cancel_shield", [] {
      const weft::cancel_shield whole;
      weft::this_fiber::sleep_for(1us);
      weft::binary_semaphore(1).acquire();
    });

    // POSIX-named calls do not throw.
    weft::fiber asked([] {
      while (!weft::this_fiber::get_stop_token().stop_requested()) weft::this_fiber::yield();
      char byte = 0;
      CHECK(weft::io::read(0, &byte, 1) == -1 && errno == ECANCELED);
    });
    asked.request_stop();
    asked.join();
    {
      const weft::deadline_scope over(std::chrono::steady_clock::now());
      char byte = 0;
      CHECK(weft::io::read(0, &byte, 1) == -1 && errno == ETIMEDOUT);
      CHECK_THROWS(weft::deadline_exceeded,
                   weft::fork_join([] { weft::this_fiber::sleep_for(1h); }, [] {}));
      weft::scope below;
      below.spawn([] { weft::this_fiber::sleep_for(1h); });
      CHECK_THROWS(weft::deadline_exceeded, below.join());
    }
    // Out of a wait, too; the arrival of who was cancelled stands.
    weft::barrier<> both(2);
    weft::fiber arrives([&] { both.arrive_and_wait(); });
    weft::this_fiber::sleep_for(1ms);
    arrives.request_stop();
    arrives.join();
    both.arrive_and_wait();
  });
}
