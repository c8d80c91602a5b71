#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "fiber/control_block.hpp"

// Who goes on, when several fibers could. All of it follows from the seed: no address, no clock, no
// earlier run.
namespace weft::detail {
struct ready_fiber {
  control_block* block;
  std::uint32_t number;  // of its run, from 1
};

class strategy {
 public:
  virtual ~strategy() = default;
  // The fiber begins to exist.
  virtual void spawned(std::uint32_t /*number*/) {}
  // It gave way because it waits for others to make progress.
  virtual void yielded(std::uint32_t /*number*/) {}
  // An index into `ready`, which is not empty.
  virtual std::size_t pick(std::span<const ready_fiber> ready) = 0;
};

// The generator's states for neighbouring seeds would be alike.
inline std::uint64_t mixed(std::uint64_t seed) noexcept {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ seed >> 27) * 0x94d049bb133111eb;
  return seed ^ seed >> 31;
}

// Each with the same chance. Finds what takes many switches.
class random_walk final : public strategy {
 public:
  explicit random_walk(random& from) : random_(from) {}
  std::size_t pick(std::span<const ready_fiber> ready) override {
    return random_.below(static_cast<std::uint32_t>(ready.size()));
  }

 private:
  random& random_;
};

// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010):
// fibers have priorities drawn at random, the highest runs, and at a few steps drawn beforehand the
// one that runs falls below all others. Finds what takes few switches at the right steps, among
// many fibers or steps, where a walk is lost: with n fibers, k steps and d - 1 changes, with a
// chance of 1/(n k^(d-1)) a run.
//
// The paper draws the steps from [1, k]. Taking k from the runs before would tie a seed to them; so
// each seed guesses it, as a power of two.
//
// A fiber that yields falls too: it spins until others do something. So does one that has been
// picked a thousand times in a row.
class priorities final : public strategy {
 public:
  priorities(random& from, unsigned changes) : random_(from) {
    const std::uint32_t guess = 1U << (3 + random_.below(10));
    for (unsigned i = 0; i < changes; ++i) changes_.push_back(1 + random_.below(guess));
  }
  void spawned(std::uint32_t number) override {
    if (priority_.size() <= number) priority_.resize(number + 1);
    priority_[number] = 1 + static_cast<std::int64_t>(random_.below(1U << 31));
  }
  void yielded(std::uint32_t number) override { priority_[number] = --lowest_; }
  std::size_t pick(std::span<const ready_fiber> ready) override {
    ++step_;
    std::size_t best = highest(ready);
    bool falls = false;
    for (const std::uint32_t at : changes_) falls |= at == step_;
    in_a_row_ = ready[best].number == last_ ? in_a_row_ + 1 : 0;
    if (falls || in_a_row_ >= patience) {
      yielded(ready[best].number);
      best = highest(ready);
      in_a_row_ = 0;
    }
    last_ = ready[best].number;
    return best;
  }

 private:
  static constexpr std::uint32_t patience = 1000;

  std::size_t highest(std::span<const ready_fiber> ready) const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < ready.size(); ++i) {
      if (priority_[ready[i].number] > priority_[ready[best].number]) best = i;
    }
    return best;
  }

  random& random_;
  std::vector<std::int64_t> priority_;  // by number
  std::int64_t lowest_ = 0;
  std::vector<std::uint32_t> changes_;
  std::uint32_t step_ = 0;
  std::uint32_t last_ = 0;
  std::uint32_t in_a_row_ = 0;
};
}  // namespace weft::detail
