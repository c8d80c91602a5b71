// local.hpp, context.hpp, generator.hpp, blocking.hpp
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <weft/blocking.hpp>
#include <weft/context.hpp>
#include <weft/generator.hpp>
#include <weft/local.hpp>

#include "check.hpp"

void locals() {
  static weft::fiber_local<int> number(5);
  static weft::fiber_local<std::string> text;
  static weft::fiber_local<std::unique_ptr<int>> made([] { return std::make_unique<int>(8); });
  number.get() = 6;
  *text = "here";
  beside other([] {
    CHECK(number.get() == 5 && text->empty() && **made == 8);
    *text = "there";
  });
  other.join();
  CHECK(*number == 6 && text.get() == "here" && *made.get() == 8);
  number.reset();
  CHECK(*number == 5);

  weft::inherited_local<std::string> request("none");
  request.set("r-1");
  CHECK(*request == "r-1");
  beside child([&] { CHECK(request.get() == (on_fiber() ? "r-1" : "none")); });
}

void contexts() {
  weft::context<int> three([](auto& yield) {
    for (int i = 1; i <= 3; ++i) yield(i);
  });
  int sum = 0;
  while (std::optional<int> n = three.resume()) sum += *n;
  CHECK(sum == 6);
  weft::context<std::string, int> words([](auto& yield, int n) {
    for (;;) n = yield(std::to_string(n));
  });
  CHECK(words.resume(7) == "7");
  CHECK(words.resume(8) == "8");
  bool unwound = false;
  {
    weft::context<> suspended([&](auto& yield) {
      try {
        yield();
      } catch (const weft::context_destroyed&) {
        unwound = true;
        throw;
      }
    });
    CHECK(suspended.resume());
  }
  CHECK(unwound);
  weft::context<> fails([](auto&) { throw std::runtime_error("left"); });
  CHECK_THROWS(std::runtime_error, fails.resume());
  weft::context<> caught([](auto& yield) {
    try {
      yield();
    } catch (int n) {
      CHECK(n == 4);
    }
  });
  caught.resume();
  CHECK(!caught.throw_into(4));

  auto squares = [] {
    return weft::generator<int>([](auto& yield) {
      for (int i = 0;; ++i) yield(i * i);
    });
  };
  static_assert(std::ranges::input_range<weft::generator<int>>);
  static_assert(std::ranges::view<weft::generator<int>>);
  sum = 0;
  for (int n : squares() | std::views::take(5)) sum += n;
  CHECK(sum == 30);

  CHECK(weft::blocking([] { return 12; }) == 12);
  CHECK_THROWS(std::runtime_error, weft::blocking([] { throw std::runtime_error("thrown"); }));
}
