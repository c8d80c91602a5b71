// Ten thousand accounts, each an actor: no lock, no account seen half way. Money moves between them
// by messages, a clerk fails now and then and is begun anew by its supervisor, and in the end not a
// coin is missing.
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <variant>
#include <vector>
#include <weft/weft.hpp>

namespace {
struct deposit {
  long amount;
};
struct withdraw {
  long amount;
  weft::promise<bool> done;
};
struct balance {
  weft::promise<long> reply;
};
using message = std::variant<deposit, withdraw, balance>;

class account {
 public:
  explicit account(long opening) : coins_(opening) {}
  void operator()(message&& m) {
    std::visit([this](auto&& each) { handle(each); }, m);
  }

 private:
  void handle(const deposit& d) { coins_ += d.amount; }
  void handle(withdraw& w) {
    const bool enough = coins_ >= w.amount;
    if (enough) coins_ -= w.amount;
    w.done.set_value(enough);
  }
  void handle(balance& b) { b.reply.set_value(coins_); }

  long coins_;
};

struct transfer {
  std::size_t from;
  std::size_t to;
  long amount;
};
}  // namespace

int main() {
  constexpr std::size_t accounts = 10'000;
  constexpr long opening = 100;
  weft::run([] {
    std::vector<std::unique_ptr<weft::actor<message>>> bank;
    for (std::size_t i = 0; i < accounts; ++i) {
      bank.push_back(std::make_unique<weft::actor<message>>(
          account(opening), weft::actor_options{.mailbox = 4, .name = "account"}));
    }

    weft::supervisor office({.restarts = 100});
    const auto clerk = [&bank, moved = 0](const transfer& t) mutable {
      if (++moved % 5'000 == 0) throw std::runtime_error("too tired to go on");  // loses this one
      auto paid = bank[t.from]->ask<bool>([&](weft::promise<bool> done) {
        return withdraw{t.amount, std::move(done)};
      });
      if (paid.get()) bank[t.to]->send(deposit{t.amount});
    };
    std::vector<weft::actor<transfer>*> clerks;
    for (int i = 0; i < 8; ++i)
      clerks.push_back(&office.start<transfer>([clerk] { return clerk; }));

    for (std::size_t i = 0; i < 100'000; ++i) {
      const std::size_t from = i * 7919 % accounts;
      const std::size_t to = i * 104'729 % accounts;
      clerks[i % clerks.size()]->send({from, to, static_cast<long>(i % 50)});
    }
    office.stop();
    office.join();

    long total = 0;
    for (auto& each : bank) {
      total += each->ask<long>([](weft::promise<long> reply) { return balance{std::move(reply)}; })
                   .get();
    }
    std::printf("%zu accounts hold %ld coins, %s; clerks were begun anew %llu times\n", accounts,
                total, total == static_cast<long>(accounts) * opening ? "all" : "NOT ALL",
                static_cast<unsigned long long>(office.restarts()));
  });
}
