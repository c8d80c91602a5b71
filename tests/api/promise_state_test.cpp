// Where the states of promises lie, and what packaged_task is deduced from.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <weft/future.hpp>

namespace weft::test {
namespace {
// std::allocator_arg: what the state takes is given back, and comes from nowhere else.
struct accounts {
  std::size_t bytes = 0;
  int calls = 0;
};
template <class T>
struct counting_allocator {
  using value_type = T;
  explicit counting_allocator(accounts& to) noexcept : book(&to) {}
  template <class U>
  counting_allocator(const counting_allocator<U>& other) noexcept : book(other.book) {}
  T* allocate(std::size_t n) {
    book->bytes += n * sizeof(T);
    ++book->calls;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* place, std::size_t n) noexcept {
    book->bytes -= n * sizeof(T);
    std::allocator<T>().deallocate(place, n);
  }
  template <class U>
  bool operator==(const counting_allocator<U>& other) const noexcept {
    return book == other.book;
  }
  accounts* book;
};
static_assert(std::uses_allocator_v<promise<int>, std::allocator<int>>);
static_assert(std::uses_allocator_v<promise<void>, counting_allocator<char>>);

TEST(promise_allocator, has_the_state_in_its_memory) {
  accounts book;
  const counting_allocator<char> from(book);
  {
    promise<std::string> text(std::allocator_arg, from);
    EXPECT_EQ(book.calls, 1);
    auto to = text.get_future();
    text.set_value("there");
    EXPECT_EQ(to.get(), "there");
    promise<int&> refers(std::allocator_arg, from);
    promise<void> happens(std::allocator_arg, from);
    EXPECT_EQ(book.calls, 3);
    auto late = happens.get_future();
    std::thread([own = std::move(happens)]() mutable { own.set_value_at_thread_exit(); }).join();
    late.get();
  }
  EXPECT_EQ(book.calls, 3);
  EXPECT_EQ(book.bytes, 0u);
}

int of_a_function(char, double d) {
  return static_cast<int>(d);
}
struct of_all_kinds {
  long operator()(int) const& noexcept { return 1; }
};
TEST(packaged_task_guides, deduce_what_std_deduces) {
  static_assert(
      std::is_same_v<decltype(packaged_task(of_a_function)), packaged_task<int(char, double)>>);
  static_assert(
      std::is_same_v<decltype(packaged_task(&of_a_function)), packaged_task<int(char, double)>>);
  static_assert(std::is_same_v<decltype(packaged_task(of_all_kinds())), packaged_task<long(int)>>);
  packaged_task named(of_a_function);
  auto result = named.get_future();
  named('a', 3.5);
  EXPECT_EQ(result.get(), 3);
  packaged_task owns([own = std::make_unique<int>(6)](int& n) mutable noexcept { n += *own; });
  static_assert(std::is_same_v<decltype(owns), packaged_task<void(int&)>>);
  packaged_task moved(std::move(owns));
  static_assert(std::is_same_v<decltype(moved), packaged_task<void(int&)>>);
  int n = 1;
  moved(n);
  EXPECT_EQ(n, 7);
}
}  // namespace
}  // namespace weft::test
