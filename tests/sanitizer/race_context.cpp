// As race_canary.cpp: what contexts, generators and inherited values order, and what they do not.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>
#include <weft/fiber.hpp>
#include <weft/generator.hpp>
#include <weft/local.hpp>
#include <weft/runtime.hpp>

namespace {
using namespace std::chrono_literals;

int value = 0;

void increment() {
  value = value + 1;
}

// A context is resumed by one fiber after another. What each does comes before what the context
// does next, and so back. It parks in between.
void ordered_by_resume() {
  weft::context<int> inner([](auto& yield) {
    for (int i = 0;; ++i) {
      increment();
      weft::this_fiber::yield();
      yield(i);
    }
  });
  for (int i = 0; i < 20; ++i) {
    weft::fiber([&] {
      increment();
      if (inner.resume() != i) std::abort();
      increment();
    }).join();
  }
  weft::generator<int> numbers([](auto& yield) {
    for (int i = 0; i < 20; ++i) {
      increment();
      yield(i);
    }
  });
  for ([[maybe_unused]] const int i : numbers) increment();
}

// Each in a context of its own, which orders nothing between them.
void two_contexts() {
  const auto in_a_context = [](std::chrono::milliseconds first, std::chrono::milliseconds last) {
    weft::context<> inner([=](auto& yield) {
      weft::this_fiber::sleep_for(first);
      yield();
      increment();
      weft::this_fiber::sleep_for(last);
    });
    while (inner.resume()) continue;
  };
  weft::fiber a([&] { in_a_context(0ms, 2ms); });
  weft::fiber b([&] { in_a_context(1ms, 0ms); });
  a.join();
  b.join();
}

// A value is shared by fibers, and destroyed by the last of them.
void ordered_by_inheritance() {
  struct counted {
    int value = 1;
    ~counted() { value = 0; }
  };
  weft::inherited_local<std::shared_ptr<counted>> local;
  weft::fiber_local<std::vector<int>> own([] { return std::vector<int>(8); });
  for (int i = 0; i < 20; ++i) {
    local.set(std::make_shared<counted>());
    std::vector<weft::fiber> readers;
    for (int k = 0; k < 4; ++k) {
      readers.emplace_back([&] {
        weft::this_fiber::yield();
        if ((*local)->value != 1) std::abort();
        own->push_back(1);
      });
    }
    local.set(nullptr);
  }
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  const std::string_view what = argv[1];
  weft::runtime rt({.workers = static_cast<unsigned>(std::atoi(argv[2]))});
  if (what == "ordered_by_resume")
    rt.run(ordered_by_resume);
  else if (what == "ordered_by_inheritance")
    rt.run(ordered_by_inheritance);
  else if (what == "two_contexts")
    rt.run(two_contexts);
  else
    return EXIT_FAILURE;
  return EXIT_SUCCESS;
}
