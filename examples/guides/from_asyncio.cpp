// Fibers that wait, fail and are cancelled.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <weft/weft.hpp>

using namespace std::chrono_literals;

static std::string fetch(const std::string& name,
                         std::chrono::milliseconds time) {
  weft::this_fiber::sleep_for(time);
  return "<" + name + ">";
}

static void produce(weft::channel<int>& queue) {
  for (int number = 0; number < 5; ++number) queue.send(number);
  queue.close();
}

static int consume(weft::channel<int>& queue) {
  int total = 0;
  for (const int number : queue) total += number;
  return total;
}

static void forever() {
  struct cleaner {
    ~cleaner() { std::puts("cleaned up"); }
  } finally;
  weft::this_fiber::sleep_for(1h);
}

static void fail() {
  weft::this_fiber::sleep_for(10ms);
  throw std::runtime_error("broken");
}

static void program() {
  auto [one, two] =
      weft::when_all(weft::async(fetch, "one", 20ms),
                     weft::async(fetch, "two", 10ms))
          .get();
  std::printf("%s %s\n", one.get().c_str(), two.get().c_str());

  try {
    weft::deadline_scope limit(10ms);
    fetch("late", 60s);
  } catch (const weft::deadline_exceeded&) {
    std::puts("too late");
  }

  weft::channel<int> queue(2);
  int total = 0;
  {
    weft::scope group;
    group.spawn([&] { produce(queue); });
    group.spawn([&] { total = consume(queue); });
    group.join();
  }
  std::printf("total %d\n", total);

  try {
    weft::scope group;
    group.spawn(forever);
    group.spawn(fail);
    group.join();
  } catch (const std::runtime_error& failed) {
    std::printf("failed: %s\n", failed.what());
  }

  weft::fiber task(forever);
  weft::this_fiber::yield();
  task.request_stop();
  task.join();
  std::puts("cancelled");
}

int main() {
  weft::run(program);
}
