// Conservation: every value that was sent is received once, whatever its senders and receivers do
// meanwhile, and none of them is left waiting.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "stress/time_box.hpp"
#include "support/stress.hpp"

namespace weft::test {
namespace {
using namespace std::chrono_literals;
using std::chrono::microseconds;

// What is sent: owned, so that a value lost or received twice is found by a sanitizer, too.
struct parcel {
  unsigned sender;
  std::uint64_t number;
};
using parcel_ptr = std::unique_ptr<parcel>;

class exchange {
 public:
  exchange(watchdog& dog, std::size_t channels, std::size_t capacity) : dog_(dog) {
    for (std::size_t i = 0; i < channels; ++i) {
      channels_.push_back(std::make_unique<channel<parcel_ptr>>(i % 2 == 0 ? capacity : 0));
    }
  }

  void send(unsigned me, choices random, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      parcel_ptr value(new parcel{me, i});
      while (value) {
        send_somehow(value, random);
        dog_.step();
      }
      sent_ += i;
    }
    if (--senders == 0) {
      for (auto& each : channels_) each->close();
    }
  }

  // Until all are closed and drained.
  void receive(choices random) {
    std::vector<bool> closed(channels_.size());
    std::size_t open = channels_.size();
    while (open > 0) {
      const unsigned which = random.below(static_cast<unsigned>(channels_.size()));
      dog_.step();
      if (closed[which]) continue;
      if (receive_somehow(which, random) == channel_status::closed) {
        closed[which] = true;
        --open;
      }
    }
  }

  std::atomic<int> senders{0};
  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t count() const { return count_; }

 private:
  channel<parcel_ptr>& any(choices& random) {
    return *channels_[random.below(static_cast<unsigned>(channels_.size()))];
  }
  void take(const parcel_ptr& value) {
    received_ += value->number;
    ++count_;
  }

  void send_somehow(parcel_ptr& value, choices& random) {
    auto& a = any(random);
    auto& b = any(random);
    switch (random.below(6)) {
      case 0:
        a.try_send(std::move(value));
        return;
      case 1:
        a.try_send_for(std::move(value), microseconds(random.below(200)));
        return;
      case 2:
        select(on_send(a, std::move(value), [] {}), on_send(b, std::move(value), [] {}),
               on_receive(b, [&](const parcel_ptr& got) { take(got); }),
               after(microseconds(random.below(200)), [] {}));
        return;
      case 3:
        try {
          const deadline_scope limit(microseconds(random.below(200)));
          a.send(std::move(value));
        } catch (const deadline_exceeded&) {
        }
        return;
      case 4: {
        // By another fiber, which is asked to stop.
        fiber helper([&] { a.send(std::move(value)); });
        if (random.one_in(2)) this_fiber::yield();
        helper.request_stop();
        return;
      }
      default:
        // Somebody receives from all of them as long as anybody sends.
        a.send(std::move(value));
    }
  }

  channel_status receive_somehow(unsigned which, choices& random) {
    auto& c = *channels_[which];
    parcel_ptr got;
    channel_status status = channel_status::empty;
    switch (random.below(5)) {
      case 0:
        status = c.try_receive(got);
        break;
      case 1:
        status = c.try_receive_for(got, microseconds(random.below(200)));
        break;
      case 2: {
        auto& other = any(random);
        const auto r = select(on_receive(c, [&](parcel_ptr p) { got = std::move(p); }),
                              on_receive(other, [&](const parcel_ptr& p) { take(p); }),
                              on_receive(c, [&](parcel_ptr p) { got = std::move(p); }),
                              after(microseconds(random.below(200)), [] {}));
        if (r.index != 1) status = r.status;
        break;
      }
      case 3: {
        fiber helper([&] {
          if (auto p = c.receive()) got = std::move(*p);
        });
        if (random.one_in(2)) this_fiber::yield();
        helper.request_stop();
        helper.join();
        break;
      }
      default:
        status = c.try_receive_for(got, 2ms);
    }
    if (got) take(got);
    return status;
  }

  watchdog& dog_;
  std::vector<std::unique_ptr<channel<parcel_ptr>>> channels_;
  std::atomic<std::uint64_t> sent_{0}, received_{0}, count_{0};
};
}  // namespace

TEST(channel, loses_nothing_and_doubles_nothing) {
  choices random(seed());
  watchdog dog;
  const time_box box;
  do {
    const unsigned workers = std::vector<unsigned>{1, 2, 4}[random.below(3)];
    const unsigned fibers = 1 + random.below(6), threads = random.below(3);
    exchange all(dog, 1 + random.below(4), random.below(4));
    constexpr std::uint64_t each = 300;
    all.senders = static_cast<int>(fibers + threads);
    {
      runtime rt({.workers = workers});
      std::vector<fiber> running;
      std::vector<std::jthread> kernel_threads;
      for (unsigned i = 0; i < fibers; ++i) {
        running.emplace_back(on(rt), [&, i, r = random.split()] { all.send(i, r, each); });
        running.emplace_back(on(rt), [&, r = random.split()] { all.receive(r); });
      }
      for (unsigned i = 0; i < threads; ++i) {
        kernel_threads.emplace_back([&, i, r = random.split()] { all.send(fibers + i, r, each); });
        kernel_threads.emplace_back([&, r = random.split()] { all.receive(r); });
      }
      for (fiber& f : running) f.join();
    }
    const std::uint64_t senders = fibers + threads;
    ASSERT_EQ(all.count(), senders * each);
    ASSERT_EQ(all.sent(), senders * (each * (each - 1) / 2));
    ASSERT_EQ(all.received(), all.sent());
  } while (box.open());
}

// Values of one sender arrive in order, at one receiver or through a chain of them.
TEST(channel, keeps_the_order_of_each_sender) {
  choices random(seed());
  watchdog dog;
  const time_box box;
  do {
    runtime rt({.workers = 1 + random.below(4)});
    channel<parcel> first(random.below(3)), last(random.below(3));
    const unsigned senders = 1 + random.below(4);
    std::vector<fiber> all;
    std::atomic<unsigned> left{senders};
    for (unsigned i = 0; i < senders; ++i) {
      all.emplace_back(on(rt), [&, i] {
        for (std::uint64_t n = 0; n < 500; ++n) first.send({i, n});
        if (--left == 0) first.close();
      });
    }
    all.emplace_back(on(rt), [&] {
      for (const parcel& p : first) last.send(p);
      last.close();
    });
    std::vector<std::uint64_t> next(senders);
    for (const parcel& p : last) {
      ASSERT_EQ(p.number, next[p.sender]++);
      dog.step();
    }
    for (const std::uint64_t n : next) ASSERT_EQ(n, 500u);
  } while (box.open());
}
}  // namespace weft::test
