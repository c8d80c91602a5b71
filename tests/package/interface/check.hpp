#pragma once
#include <cstdio>
#include <thread>
#include <type_traits>
#include <utility>

// A program outside the tree that uses every declaration of the public interface, by header, and
// every member that std has for it. Each part runs on a kernel thread, where there is no runtime
// yet, and then on a fiber.

// Counts, and prints what does not hold.
void check(bool holds, const char* what, const char* file, int line);
#define CHECK(...) check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
#define CHECK_THROWS(type, ...)                                      \
  do {                                                               \
    bool threw = false;                                              \
    try {                                                            \
      static_cast<void>(__VA_ARGS__);                                \
    } catch (const type&) {                                          \
      threw = true;                                                  \
    }                                                                \
    check(threw, #__VA_ARGS__ " throws " #type, __FILE__, __LINE__); \
  } while (false)

// For kernel threads and fibers.
void mutexes();
void shared_mutexes();
void conditions();
void counts();  // semaphores, latches, barriers, events
void futures();
void channels();
void selects();
void locals();
void contexts();
// Once.
void runtimes();
void fibers();
void tasks();
void cancellation();
void posix();
void streams();
void debugging();

// What works beside a part: a fiber beside a fiber, a kernel thread beside a kernel thread. Joined
// by its destructor.
bool on_fiber();
class beside {
 public:
  template <class F>
  explicit beside(F f) : beside(static_cast<callable*>(new call<F>(std::move(f)))) {}
  ~beside() { join(); }
  beside(const beside&) = delete;
  void join();

 private:
  struct callable {
    virtual void run() = 0;
    virtual ~callable() = default;
  };
  template <class F>
  struct call final : callable {
    explicit call(F&& of) : f(std::move(of)) {}
    void run() override { f(); }
    F f;
  };
  explicit beside(callable* owned);
  void* what_ = nullptr;
  bool fiber_ = false;
};
