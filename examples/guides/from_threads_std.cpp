// Threads count words; one more runs until it is stopped.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static std::mutex guard;
static std::condition_variable changed;
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
  std::jthread clock([](std::stop_token stop) {
    while (!stop.stop_requested())
      std::this_thread::sleep_for(1ms);
    std::puts("the clock has stopped");
  });

  const std::vector<std::string> texts = {
      "a rose is", "a rose is", "a rose"};
  std::vector<std::jthread> threads;
  for (const std::string& text : texts)
    threads.emplace_back(count, text);
  {
    std::unique_lock lock(guard);
    changed.wait(lock, [&] { return counted == texts.size(); });
  }
  for (const auto& [word, times] : counts)
    std::printf("%s: %d\n", word.c_str(), times);

  std::future<int> longest = std::async(
      []() -> int { throw std::runtime_error("no idea"); });
  try {
    std::printf("%d\n", longest.get());
  } catch (const std::exception& error) {
    std::puts(error.what());
  }
}  // stops the clock, and joins it
