// Sorts on all workers: with parallel_sort, and with a merge sort over fork_join,
// which is stable.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <vector>
#include <weft/weft.hpp>

namespace {
struct order {
  std::uint32_t number;
  std::uint32_t cents;
};
constexpr std::uint32_t count = 1u << 20;

// Every price below `count` once, in an order that looks random: the factor is odd.
std::vector<order> make_orders() {
  std::vector<order> orders(count);
  weft::parallel_for(0u, count, [&](std::uint32_t i) {
    orders[i] = {i, i * 2'654'435'761u % count};
  });
  return orders;
}

bool cheaper(const order& a, const order& b) {
  return a.cents < b.cents;
}
bool in_a_lower_class(const order& a, const order& b) {
  return a.cents / 1000 < b.cents / 1000;
}

// Each half by whoever has nothing to do; below some thousand elements that is not worth it.
template <class Less>
void merge_sort(std::span<order> part, std::span<order> room, Less less) {
  if (part.size() <= 16) {
    for (auto at = part.begin(); at != part.end(); ++at) {
      std::rotate(std::upper_bound(part.begin(), at, *at, less), at, at + 1);
    }
    return;
  }
  const std::size_t half = part.size() / 2;
  const auto left = [&] { merge_sort(part.first(half), room.first(half), less); };
  const auto right = [&] { merge_sort(part.subspan(half), room.subspan(half), less); };
  if (part.size() > 4096) {
    weft::fork_join(left, right);
  } else {
    left();
    right();
  }
  const auto middle = part.begin() + static_cast<std::ptrdiff_t>(half);
  std::merge(part.begin(), middle, middle, part.end(), room.begin(), less);
  std::copy(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(part.size()), part.begin());
}
}  // namespace

int main() {
  weft::run([] {
    std::vector<order> orders = make_orders();
    weft::parallel_sort(orders, cheaper);
    std::printf("%zu orders by price: number %u is the cheapest, number %u the dearest\n",
                orders.size(), orders.front().number, orders.back().number);

    // Within a class of prices they stay as they were: by number, once they have been sorted so.
    weft::parallel_sort(orders, [](const order& a, const order& b) { return a.number < b.number; });
    std::vector<order> room(orders.size());
    merge_sort(std::span(orders), std::span(room), in_a_lower_class);
    std::printf("the first class: numbers %u, %u, %u, ...\n", orders[0].number, orders[1].number,
                orders[2].number);

    const std::uint64_t sum =
        weft::parallel_reduce(orders, std::uint64_t{0}, std::plus<>(),
                              [](const order& each) { return std::uint64_t{each.cents}; });
    std::printf("%llu cents in all\n", static_cast<unsigned long long>(sum));
  });
}
