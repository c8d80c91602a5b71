// Several answers at once: all of them (when_all), the first of them (when_any), and each as it
// comes. What one of them throws is found where that one is asked.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <weft/weft.hpp>

namespace {
using namespace std::chrono_literals;

struct server {
  std::string_view name;
  std::chrono::milliseconds delay;
};
constexpr server servers[] = {{"paris", 40ms}, {"tokyo", 80ms}, {"oslo", 20ms}, {"nowhere", 5ms}};

std::string ask(server whom) {
  weft::this_fiber::sleep_for(whom.delay);
  if (whom.name == "nowhere") throw std::runtime_error("no such server");
  return "greetings from " + std::string(whom.name);
}

std::vector<weft::future<std::string>> ask_all() {
  std::vector<weft::future<std::string>> answers;
  for (const server& each : servers) answers.push_back(weft::async(ask, each));
  return answers;
}

void print(weft::future<std::string>& answer) {
  try {
    std::printf("  %s\n", answer.get().c_str());
  } catch (const std::exception& error) {
    std::printf("  failed: %s\n", error.what());
  }
}

// asyncio's gather: it takes as long as the slowest, and the answers are in the order of the
// questions.
void gather() {
  std::puts("all:");
  auto answers = ask_all();
  auto ready = weft::when_all(answers.begin(), answers.end()).get();
  for (auto& answer : ready) print(answer);
}

// The first that is ready, be it a failure; those who are left are asked for the next.
void as_they_come() {
  std::puts("as they come:");
  auto answers = ask_all();
  while (!answers.empty()) {
    auto first = weft::when_any(answers.begin(), answers.end()).get();
    answers = std::move(first.futures);
    const auto winner = answers.begin() + static_cast<std::ptrdiff_t>(first.index);
    print(*winner);
    answers.erase(winner);
  }
}

// Of different types: a tuple. Who loses can still be waited for; if nobody did, the destructor of
// its future would.
void race() {
  std::puts("the first of two:");
  auto first = weft::when_any(weft::async(ask, servers[2]), weft::async([] {
                                weft::this_fiber::sleep_for(60ms);
                                return 42;
                              }))
                   .get();
  if (first.index == 0) print(std::get<0>(first.futures));
  std::printf("  and then %d\n", std::get<1>(first.futures).get());
}
}  // namespace

int main() {
  weft::run([] {
    gather();
    as_they_come();
    race();
  });
}
