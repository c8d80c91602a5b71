// Asks two servers at once and takes the answer that comes first; asks again when neither has
// answered in time, and gives up after the third time.
#include <chrono>
#include <cstdio>
#include <string>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

// Answers after a while; nobody may be there to take the answer, then it is asked to stop.
weft::fiber server(const char* name, std::chrono::milliseconds pause,
                   weft::channel<std::string>& answers) {
  return weft::fiber([=, &answers] {
    weft::this_fiber::sleep_for(pause);
    answers.send(std::string("an answer from ") + name);
  });
}

std::string ask(std::chrono::milliseconds near, std::chrono::milliseconds far) {
  for (int attempt = 1; attempt <= 3; ++attempt) {
    weft::channel<std::string> from_near, from_far;
    // Destroyed before the channels: that asks the one that has not answered to stop, and waits.
    const weft::fiber one = server("near", near, from_near);
    const weft::fiber two = server("far", far, from_far);
    std::string answer;
    weft::select(weft::on_receive(from_near, [&](std::string text) { answer = std::move(text); }),
                 weft::on_receive(from_far, [&](std::string text) { answer = std::move(text); }),
                 weft::after(50ms, [&] { std::printf("attempt %d: no answer\n", attempt); }));
    if (!answer.empty()) return answer;
    near /= 100;
  }
  return "nobody answers";
}

}  // namespace

int main() {
  weft::run([] {
    std::printf("%s\n", ask(1ms, 1h).c_str());
    std::printf("%s\n", ask(1h, 2ms).c_str());
    std::printf("%s\n", ask(200ms, 1h).c_str());
    std::printf("%s\n", ask(100h, 1h).c_str());
  });
}
