// Sequences as ordinary functions: Fibonacci numbers without end, a tree that is walked by plain
// recursion, and two of them merged, each on a stack of its own. No runtime, no other thread.
//
//   generator_fibonacci 10       the first ten
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <ranges>
#include <utility>
#include <weft/generator.hpp>

namespace {
using number = std::uint64_t;

weft::generator<number> fibonacci() {
  return weft::generator<number>([](auto& yield) {
    for (number a = 0, b = 1;; a = std::exchange(b, a + b)) yield(a);
  });
}

struct node {
  number value;
  std::unique_ptr<node> left, right;
};

std::unique_ptr<node> tree_of(number low, number high) {
  if (low > high) return nullptr;
  const number middle = low + (high - low) / 2;
  return std::make_unique<node>(
      node{middle, middle == low ? nullptr : tree_of(low, middle - 1), tree_of(middle + 1, high)});
}

// The recursion is inside: an element costs the same at any depth.
weft::generator<const node&> in_order(const node* root) {
  return weft::generator<const node&>([root](auto& yield) {
    const auto walk = [&yield](const auto& self, const node* at) -> void {
      if (!at) return;
      self(self, at->left.get());
      yield(*at);
      self(self, at->right.get());
    };
    walk(walk, root);
  });
}

// Of two rising sequences, one that rises.
template <class A, class B>
weft::generator<number> merge(A a, B b) {
  return weft::generator<number>([a = std::move(a), b = std::move(b)](auto& yield) mutable {
    auto i = a.begin();
    auto k = b.begin();
    while (i != a.end() && k != b.end()) {
      number next = *i;
      if (next <= number{*k}) {
        ++i;
      } else {
        next = *k;
        ++k;
      }
      yield(next);
    }
    for (; i != a.end(); ++i) yield(*i);
    for (; k != b.end(); ++k) yield(*k);
  });
}
}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 10;

  std::printf("fibonacci:");
  for (const number n : fibonacci() | std::views::take(count)) {
    std::printf(" %llu", static_cast<unsigned long long>(n));
  }

  std::printf("\neven ones below 1000:");
  for (const number n : fibonacci() | std::views::filter([](number n) { return n % 2 == 0; }) |
                            std::views::take_while([](number n) { return n < 1000; })) {
    std::printf(" %llu", static_cast<unsigned long long>(n));
  }

  const std::unique_ptr<node> tree = tree_of(1, 9);
  number sum = 0;
  for (const node& each : in_order(tree.get())) sum = sum * 10 + each.value;
  std::printf("\ntree in order: %llu", static_cast<unsigned long long>(sum));

  auto squares = std::views::iota(number{1}, number{8}) |
                 std::views::transform([](number n) { return n * n; });
  std::printf("\nmerged with squares:");
  for (const number n : merge(fibonacci(), squares) | std::views::take(count)) {
    std::printf(" %llu", static_cast<unsigned long long>(n));
  }
  std::printf("\n");
}
