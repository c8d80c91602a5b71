#pragma once
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>
#include <weft/weft.hpp>

#include "fault/scenario.hpp"

// What the steps of the scenario have in common.
namespace weft::test {
// Runs one step; what it throws must be what the library may throw when something has run out.
template <class F>
bool step(findings& into, F&& f) noexcept {
  try {
    f();
    ++into.done;
    return true;
  } catch (const std::system_error& error) {
    into.tell(error.what());
  } catch (const std::bad_alloc&) {
    into.tell("std::bad_alloc: memory");
  } catch (const operation_canceled&) {
    into.complain("cancelled, though nobody asked", 1, 0);
  } catch (const std::exception& error) {
    into.complain(error.what(), 1, 0);
  }
  return false;
}

// A call with a POSIX name: its result, or what errno says has been told.
inline bool worked(findings& into, const char* what, long result) noexcept {
  if (result >= 0) return true;
  into.tell((errno == 0) ? "errno is 0" : std::strerror(errno));
  if (errno == 0) into.complain(what, errno, ENOMEM);
  return false;
}

inline void expect(findings& into, const char* what, long is, long expected) noexcept {
  if (is != expected) into.complain(what, is, expected);
}

// In scenario_io.cpp.
void over_a_socketpair(findings& into);
void over_a_pipe(findings& into);
void over_tcp(findings& into, const char* host);
// In scenario_tasks.cpp.
void tasks(findings& into);
}  // namespace weft::test
