// Workers square numbers, until there are no more.
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <weft/weft.hpp>

using namespace std::chrono_literals;
using weft::after, weft::on_receive, weft::otherwise;

static void square(weft::channel<int>& jobs,
                   weft::channel<int>& results) {
  for (const int job : jobs) results.send(job * job);
}  // both are left by an exception when it is to stop

static void print(int number) {
  std::printf("%d\n", number);
}

static void program() {
  weft::deadline_scope limit(1min);

  weft::channel<int> jobs;
  weft::channel<int> results(4);
  weft::scope workers;
  for (int i = 0; i < 3; ++i)
    workers.spawn(square, std::ref(jobs), std::ref(results));

  weft::fiber producer([&] {
    for (int i = 1; i <= 10; ++i) jobs.send(i);
    jobs.close();
  });
  weft::fiber closer([&] {
    workers.join();
    results.close();
  });

  int sum = 0;
  for (const int result : results) sum += result;
  std::printf("sum of squares: %d\n", sum);

  const bool more = results.receive().has_value();
  std::printf("more results: %s\n", more ? "true" : "false");

  weft::channel<int> silent;
  weft::select(on_receive(silent, print),
               otherwise([] { std::puts("nothing there"); }));
  weft::select(on_receive(silent, print),
               after(10ms, [] { std::puts("nothing came"); }));

  weft::channel<std::string> last(1);
  weft::fiber listener([&] {
    try {
      silent.receive();
    } catch (const weft::operation_canceled&) {
      last.try_send("told to stop");
      throw;
    }
  });
  listener.request_stop();
  std::puts(last.receive()->c_str());
}

int main() {
  weft::run(program);
}
