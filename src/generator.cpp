// Generators that yield the elements of others. Each is an ordinary context, and the consumer
// resumes the innermost one, the leaf, itself: so a depth of a thousand costs no more than one.
//
//   consumer ---resume---> leaf ---yield---> consumer
//                           | parent: goes on when the leaf has ended
//                          ...
//                           | parent
//                          the consumer's own generator
//
// Those above the leaf are suspended where they have called yielder::all, whose frame owns the
// generator below. So destroying any of them unwinds it, and with that frame those below it.
#include <weft/generator.hpp>

#include "base/fatal.hpp"
#include "context_life.hpp"

namespace weft::detail {
generation& position_of(computation& c) noexcept {
  return c.position;
}

void delegate(computation& outer, computation& inner) noexcept {
  outer.delegate = &inner;
  inner.parent = &outer;
}

void delegated_to_begun() noexcept {
  const doer by;
  fatal(
      "%s has a generator yield all elements of another that has begun: it would begin in the "
      "middle, "
      "without the element that it stands at; yield what is left one by one",
      by.text);
}

void* follow(generation& g, void* told) {
  for (;;) {
    computation& leaf = *g.leaf;
    if (told == &leaf) {
      g.leaf = std::exchange(leaf.delegate, nullptr);
      told = resume_computation(*g.leaf, g.leaf);
    } else if (told) {
      return told;
    } else {
      std::exception_ptr thrown = std::exchange(leaf.thrown, nullptr);
      g.leaf = leaf.parent;
      if (!g.leaf) {
        g.value = nullptr;
        if (thrown) std::rethrow_exception(std::move(thrown));
        return nullptr;
      }
      told = thrown ? resume_throwing(*g.leaf, std::move(thrown))
                    : resume_computation(*g.leaf, g.leaf);
    }
  }
}
}  // namespace weft::detail
