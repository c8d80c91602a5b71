// Fibers count words; one more runs until it is stopped.
#include <chrono>
#include <cstdio>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>
#include <weft/condition_variable.hpp>
#include <weft/fiber.hpp>
#include <weft/future.hpp>
#include <weft/mutex.hpp>

using namespace std::chrono_literals;

static weft::mutex guard;
static weft::condition_variable changed;
static std::map<std::string, int> counts;
static std::size_t counted = 0;

static void count(const std::string& text) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::lock_guard lock(guard);
    ++counts[word];
  }
  std::lock_guard lock(guard);
  ++counted;
  changed.notify_one();
}

int main() {
  weft::fiber clock([](std::stop_token stop) {
    try {
      while (!stop.stop_requested())
        weft::this_fiber::sleep_for(1ms);
    } catch (const weft::operation_canceled&) {
    }  // the sleep threw: the one line that is new
    std::puts("the clock has stopped");
  });

  const std::vector<std::string> texts = {
      "a rose is", "a rose is", "a rose"};
  std::vector<weft::fiber> fibers;
  for (const std::string& text : texts)
    fibers.emplace_back(count, text);
  {
    std::unique_lock lock(guard);
    changed.wait(lock, [&] { return counted == texts.size(); });
  }
  for (const auto& [word, times] : counts)
    std::printf("%s: %d\n", word.c_str(), times);

  weft::future<int> longest = weft::async(
      []() -> int { throw std::runtime_error("no idea"); });
  try {
    std::printf("%d\n", longest.get());
  } catch (const std::exception& error) {
    std::puts(error.what());
  }
}  // stops the clock, and joins it
