// A race that a test finds: transfers between accounts of a small bank look at a balance, and take
// the money later. Two of them at once overdraw the account, if one is preempted in between.
//
//   explore                 tries 1,000 schedules of the wrong bank: finds one, and prints it
//   explore 4               repeats the schedule of seed 4, step by step
//   explore --fixed         tries 10,000 of the bank whose accounts have a lock: finds nothing
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <weft/testing.hpp>
#include <weft/weft.hpp>

namespace {
// A lock made of what is there: fibers that find it taken give way until it is free.
class spin_yield_lock {
 public:
  void lock() {
    while (taken_) weft::this_fiber::yield();
    taken_ = true;
  }
  void unlock() { taken_ = false; }

 private:
  bool taken_ = false;  // the fibers of this program share one kernel thread
};

class account {
 public:
  explicit account(int balance) : balance_(balance) {}
  int balance() const { return balance_; }
  spin_yield_lock lock;

  bool withdraw(int amount) {
    if (balance_ < amount) return false;
    weft::testing::point("checked");  // here another thread may come in between
    balance_ -= amount;
    return true;
  }
  void deposit(int amount) { balance_ += amount; }

 private:
  int balance_;
};

bool transfer(account& from, account& to, int amount, bool locked) {
  if (locked) from.lock.lock();
  const bool done = from.withdraw(amount);
  if (locked) from.lock.unlock();
  if (done) to.deposit(amount);
  return done;
}

struct bank {
  bool locked;

  void operator()() const {
    account alice(100);
    account bob(0);
    account carol(0);
    weft::fiber_options rent{.name = "rent", .site = weft::source_site::current()};
    weft::fiber_options food{.name = "food", .site = weft::source_site::current()};
    weft::fiber one(rent, [&] { transfer(alice, bob, 60, locked); });
    weft::fiber two(food, [&] { transfer(alice, carol, 60, locked); });
    one.join();
    two.join();
    weft::testing::check(alice.balance() >= 0, "the account is overdrawn");
    weft::testing::check(alice.balance() + bob.balance() + carol.balance() == 100,
                         "money is lost or made");
  }
};
}  // namespace

int main(int argc, char** argv) {
  const char* const wish = argc > 1 ? argv[1] : "";
  if (std::strcmp(wish, "--fixed") == 0) {
    const auto found = weft::testing::explore(bank{true}, 10'000);
    std::printf("%llu schedules tried\n", static_cast<unsigned long long>(found.runs));
    return found.ok() ? 0 : 1;
  }
  const std::uint64_t seed = std::strtoull(wish, nullptr, 10);
  const auto found =
      seed ? weft::testing::replay(seed, bank{false}) : weft::testing::explore(bank{false}, 1'000);
  return found.ok() ? 0 : 1;
}
