// channel.hpp, select.hpp
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>
#include <weft/channel.hpp>
#include <weft/select.hpp>

#include "check.hpp"

namespace {
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;
using status = weft::channel_status;
}  // namespace

void channels() {
  weft::channel<std::string> meets;  // a rendezvous
  static_assert(!std::is_convertible_v<std::size_t, weft::channel<int>>);
  {
    const std::string constant("copied");
    beside sends([&] {
      CHECK(meets.send("moved"));
      CHECK(meets.send(constant));
      meets.close();
    });
    CHECK(meets.receive() == "moved");
    CHECK(meets.receive() == "copied");
    CHECK(!meets.receive());
  }
  std::string kept("kept");
  CHECK(!meets.send(std::move(kept)) && kept == "kept");
  CHECK(meets.closed());

  weft::channel<std::unique_ptr<int>> owners(2);
  CHECK(!owners.closed());
  std::unique_ptr<int> value = std::make_unique<int>(1);
  CHECK(owners.try_send(std::move(value)) == status::ok && !value);
  CHECK(owners.try_send_for(std::make_unique<int>(2), 1h) == status::ok);
  value = std::make_unique<int>(3);
  CHECK(owners.try_send(std::move(value)) == status::full && value);
  CHECK(owners.try_send_for(std::move(value), 1ms) == status::timeout && value);
  CHECK(owners.try_send_until(std::move(value), steady_clock::now() + 1ms) == status::timeout);
  CHECK(owners.try_receive(value) == status::ok && *value == 1);
  CHECK(owners.try_receive_for(value, 1h) == status::ok && *value == 2);
  CHECK(owners.try_receive(value) == status::empty && *value == 2);
  CHECK(owners.try_receive_for(value, 1ms) == status::timeout);
  CHECK(owners.try_receive_until(value, system_clock::now() - 1h) == status::timeout);
  CHECK(owners.try_send_until(std::make_unique<int>(4), system_clock::now() + 1h) == status::ok);
  CHECK(owners.try_receive_until(value, steady_clock::now() + 1h) == status::ok && *value == 4);
  owners.close();
  CHECK(owners.try_send(std::move(value)) == status::closed && value);
  CHECK(owners.try_receive(value) == status::closed);

  weft::channel<int> numbers(16);
  beside counts([&] {
    for (int i = 1; i <= 100; ++i) numbers.send(i);
    numbers.close();
  });
  int sum = 0;
  for (auto& each : numbers) sum += each;
  CHECK(sum == 5050);
  CHECK(numbers.begin() == numbers.end());
}

void selects() {
  using weft::after;
  using weft::on_receive;
  using weft::on_send;
  using weft::otherwise;
  weft::channel<int> c(1), d(1);
  std::string done;
  weft::select_result r = weft::select(on_receive(c, [&](int) { done = "received"; }),
                                       otherwise([&] { done = "otherwise"; }));
  CHECK(done == "otherwise" && r.index == 1 && r.status == status::ok);
  r = weft::select(on_receive(c, [&](int) { done = "received"; }),
                   after(1ms, [&] { done = "after"; }));
  CHECK(done == "after" && r.index == 1 && r.status == status::timeout);
  int value = 7;
  r = weft::select(on_receive(c, [&](int) { done = "received"; }),
                   on_send(d, value, [&] { done = "sent"; }));
  CHECK(done == "sent" && r.index == 1 && r.status == status::ok);
  {
    beside sends([&] { c.send(5); });
    int got = 0;
    r = weft::select(on_receive(c, [&](int n) { got = n; }), on_send(d, 8, [&] { done = "full"; }));
    CHECK(got == 5 && r.index == 0);
  }
  weft::channel<std::unique_ptr<int>> owners(1);
  auto owned = std::make_unique<int>(1);
  c.send(1);
  while (owned) {
    weft::select(on_receive(c, [](int) {}), on_send(owners, std::move(owned), [] {}));
  }
  c.close();
  done = "nothing";
  r = weft::select(on_receive(c, [&](int) { done = "value"; }), after(1h, [] {}));
  if (r.status == status::ok) r = weft::select(on_receive(c, [&](int) { done = "value"; }));
  CHECK(r.index == 0 && r.status == status::closed);
  done = "nothing";
  r = weft::select(on_receive(c, [&](std::optional<int> n) { done = n ? "value" : "end"; }));
  CHECK(done == "end" && r.status == status::closed);
  r = weft::select(on_send(c, 1, [&] { done = "sent"; }));
  CHECK(done == "end" && r.status == status::closed);
  CHECK_THROWS(int, weft::select(on_receive(d, [](int n) { throw n; })));
  CHECK(select(after(0s, [] {})).status == status::timeout);
}
