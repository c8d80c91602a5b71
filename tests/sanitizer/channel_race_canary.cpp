// What a channel orders, and what it does not: two who send to one are not ordered by that.
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <weft/weft.hpp>

namespace {
using namespace std::chrono_literals;

int value = 0;

void increment() {
  value = value + 1;
}

// Both live at once; one sends long after the other, into another place.
void two_senders() {
  weft::channel<int> c(2);
  weft::fiber a([&] {
    increment();
    c.send(1);
    weft::this_fiber::sleep_for(2ms);
  });
  weft::fiber b([&] {
    weft::this_fiber::sleep_for(1ms);
    increment();
    c.send(2);
  });
  a.join();
  b.join();
}

// A full channel: the second send of b waits for nobody, so it is not ordered behind the receiver's
// increment, which comes after its receipt.
void receiver_goes_on() {
  weft::channel<int> c(2);
  weft::fiber a([&] {
    c.receive();
    increment();
    weft::this_fiber::sleep_for(3ms);
  });
  weft::fiber b([&] {
    c.send(1);
    weft::this_fiber::sleep_for(1ms);
    c.send(2);
    increment();
  });
  a.join();
  b.join();
}

void there_and_back(std::size_t capacity) {
  weft::channel<int> there(capacity), back;
  weft::fiber echo([&] {
    for (const int n : there) {
      increment();
      back.send(n);
    }
  });
  for (int i = 0; i < 100; ++i) {
    increment();
    there.send(i);
    if (back.receive() != i) std::abort();
    increment();
  }
  there.close();
  echo.join();
}
void ordered_by_rendezvous() {
  there_and_back(0);
}
void ordered_by_buffer() {
  there_and_back(3);
}

// The receipt of one value before the send of the next, into the same place, returns.
void ordered_by_place() {
  weft::channel<int> c(1);
  weft::fiber taker([&] {
    increment();
    c.receive();
    weft::this_fiber::sleep_for(1ms);
  });
  c.send(1);
  c.send(2);
  increment();
  taker.join();
}

void ordered_by_close() {
  weft::channel<int> c;
  weft::fiber waiting([&] {
    while (c.receive()) std::abort();
    increment();
  });
  int before = 0;
  weft::fiber looking([&] {
    while (!c.closed()) weft::this_fiber::yield();
    if (before != 1) std::abort();
  });
  weft::this_fiber::sleep_for(1ms);
  increment();
  before = 1;
  c.close();
  waiting.join();
  looking.join();
}

void ordered_by_select() {
  weft::channel<int> a, b, done;
  weft::fiber other([&] {
    for (int i = 0; i < 100; ++i) {
      select(weft::on_send(a, i, [] {}), weft::on_receive(b, [](int) {}));
      increment();
      done.send(0);
    }
  });
  for (int i = 0; i < 100; ++i) {
    increment();
    select(weft::on_receive(a, [](int) {}), weft::on_send(b, i, [] {}));
    done.receive();
    increment();
  }
  other.join();
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  const std::string_view what = argv[1];
  weft::runtime rt({.workers = static_cast<unsigned>(std::atoi(argv[2]))});
  const struct {
    std::string_view name;
    void (*run)();
  } all[] = {{"two_senders", two_senders},
             {"receiver_goes_on", receiver_goes_on},
             {"ordered_by_rendezvous", ordered_by_rendezvous},
             {"ordered_by_buffer", ordered_by_buffer},
             {"ordered_by_place", ordered_by_place},
             {"ordered_by_close", ordered_by_close},
             {"ordered_by_select", ordered_by_select}};
  for (const auto& each : all) {
    if (each.name != what) continue;
    rt.run(each.run);
    return EXIT_SUCCESS;
  }
  return EXIT_FAILURE;
}
