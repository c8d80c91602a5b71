// Rounds while exceptions are handled, rethrown, and on their way.
#include "round.hpp"

namespace weft::migration {
namespace {
struct numbered : std::runtime_error {
  explicit numbered(unsigned n) : std::runtime_error("numbered"), number(n) {}
  unsigned number;
};

// Whether the exception being handled is the one with this number.
bool handles(unsigned number) {
  try {
    throw;
  } catch (const numbered& error) {
    return error.number == number;
  } catch (...) {
    return false;
  }
}

// Makes rounds in its destructor, while an exception is on its way or not.
class lands {
 public:
  lands(traveller& t, int uncaught, unsigned number)
      : t_(t), uncaught_(uncaught), number_(number) {}
  ~lands() {
    MUST(std::uncaught_exceptions() == uncaught_);
    t_.round();
    MUST(std::uncaught_exceptions() == uncaught_);
    try {
      const within deeper{t_, uncaught_ + 1};
      throw numbered(number_);
    } catch (const numbered& error) {
      t_.round();
      MUST(error.number == number_);
      MUST(handles(number_));
    }
    MUST(std::uncaught_exceptions() == uncaught_);
  }
  lands(const lands&) = delete;
  lands& operator=(const lands&) = delete;

 private:
  struct within {
    traveller& t;
    int uncaught;
    ~within() {
      t.round();
      MUST(std::uncaught_exceptions() == uncaught);
    }
  };
  traveller& t_;
  int uncaught_;
  unsigned number_;
};

void rethrow_outer(traveller& t, unsigned outer, unsigned inner) {
  try {
    t.round();
    throw numbered(outer);
  } catch (const numbered&) {
    t.round();
    try {
      throw numbered(inner);
    } catch (const numbered& error) {
      t.round();
      MUST(error.number == inner);
      MUST(handles(inner));
      try {
        t.round();
        throw;
      } catch (const numbered& again) {
        t.round();
        MUST(&again == &error);
      }
      MUST(handles(inner));
    }
    MUST(handles(outer));
    t.round();
    throw;
  }
}
}  // namespace

void journey_in_handlers(traveller& t) {
  const unsigned outer = t.turn(), inner = outer + 1'000'000;
  try {
    rethrow_outer(t, outer, inner);
    MUST(!"reached");
  } catch (const numbered& error) {
    t.round();
    MUST(error.number == outer);
    MUST(handles(outer));
  }
  MUST(!std::current_exception());
}

void journey_while_unwinding(traveller& t) {
  const unsigned number = t.turn();
  try {
    const lands first(t, 1, number + 1);
    const lands second(t, 1, number + 2);
    throw numbered(number);
  } catch (const numbered& error) {
    MUST(error.number == number);
    const lands third(t, 0, number + 3);
  }
  MUST(!std::current_exception());
  MUST(std::uncaught_exceptions() == 0);
}

// Thrown on one fiber, caught and handled on another, by exception_ptr.
void journey_of_exceptions(traveller& t) {
  const unsigned number = t.turn();
  traveller child(t.all(), number);
  std::exception_ptr sent;
  fiber sender([&] {
    try {
      throw numbered(number);
    } catch (...) {
      child.round();
      sent = std::current_exception();
      child.round();
      MUST(handles(number));
    }
    child.round();
  });
  t.round();
  sender.join();
  MUST(!std::current_exception());
  t.add(child);
  try {
    std::rethrow_exception(sent);
  } catch (const numbered& error) {
    t.round();
    MUST(error.number == number);
    MUST(std::current_exception() == sent);
  }
}
}  // namespace weft::migration
