#pragma once
#include <functional>
#include <string>

#include "fault/injector.hpp"
#include "fault/scenario.hpp"

// Runs something in a forked child that is watched: it may die, hang, leak. The parent never makes
// a runtime, since there are none in a forked child.
namespace weft::test {
// What a process holds.
struct holdings {
  long descriptors = 0;
  long threads = 0;
  long mappings = 0;
  long blocks = 0;  // of the heap
};
holdings holdings_now() noexcept;

struct child_report {
  findings seen;            // with failures on
  findings after;           // without, afterwards
  long counts[calls] = {};  // of calls with failures on
  long injected = 0;        // calls that were made to fail
  holdings before, end;
  int rounds = 0;
};

struct child_end {
  enum kind { exited, signalled, hung } how = exited;
  int code = 0;        // exit code or signal
  std::string errors;  // what it wrote to stderr
};

// Runs body in a child; `report` is shared with it. A child that takes longer than `seconds` dumps
// its fibers and counts as hung.
child_end run_child(child_report& report, const std::function<void(child_report&)>& body,
                    unsigned seconds = 10);
// In memory that children share; for the caller's life.
child_report& shared_report();
}  // namespace weft::test
