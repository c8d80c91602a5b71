#pragma once
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <weft/io.hpp>

// How the operations of net report: a failure inside, which the two public forms turn into an
// exception or a std::error_code.
namespace weft::detail {
struct failure {
  std::error_code code;
  const char* why = nullptr;  // static text for the exception; null: see throw_failure
};

inline std::error_code system_code(int error) noexcept {
  return {error, std::generic_category()};
}

// The result of a call that is POSIX's, its error moved from errno to the code.
template <class Result>
Result set_code(std::error_code& error, Result result) noexcept {
  error = result < 0 ? system_code(errno) : std::error_code();
  return result;
}

// Whether the code of a call that has just failed means that a deadline_scope has expired, rather
// than that TCP has given up a peer that does not answer: both are ETIMEDOUT.
bool means_deadline(const std::error_code&) noexcept;

// Throws operation_canceled or deadline_exceeded if the code stands for one of them.
void throw_if_ended(const std::error_code&);
// Throws what the code stands for, as a rule std::system_error: "weft: listen on "[::]:80" (why):
// Address already in use". Without a why, exhausted limits are named with their value.
[[noreturn, gnu::cold]] void throw_failure(const std::string& attempted, const failure&);

// What was asked for, to be shown in a message: text from elsewhere, of any length.
[[gnu::cold]] std::string quoted(std::string_view text);

// Runs body(failed) and moves its failure to the code.
template <class Body>
auto report_into(std::error_code& error, Body body) noexcept
    -> std::invoke_result_t<Body, failure&> {
  failure failed;
  try {
    auto result = body(failed);
    error = failed.code;
    return result;
  } catch (const std::bad_alloc&) {
    error = system_code(ENOMEM);
    return {};
  }
}
}  // namespace weft::detail
