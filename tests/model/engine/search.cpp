// Relacy's searches, compiled once for all models.
#include "model_search.hpp"

namespace model {
namespace {
const maker* making = nullptr;
void* memory = nullptr;  // of the model, for all interleavings

template <int Threads>
struct suite : rl::test_suite<suite<Threads>, Threads> {
  any_model* const model = making->make(memory);
  ~suite() { model->~any_model(); }
  void before() { model->before(); }
  void thread(unsigned index) { model->thread(index); }
  void after() { model->after(); }
};
}  // namespace

bool simulate(const maker& made_by, rl::test_params& params) {
  making = &made_by;
  memory = std::malloc(made_by.size);
  bool passed = false;
  switch (made_by.threads) {
    case 1:
      passed = rl::simulate<suite<1>>(params);
      break;
    case 2:
      passed = rl::simulate<suite<2>>(params);
      break;
    case 3:
      passed = rl::simulate<suite<3>>(params);
      break;
    case 4:
      passed = rl::simulate<suite<4>>(params);
      break;
    default:
      std::printf("a model of %d threads: engine/search.cpp lists how many\n", made_by.threads);
      std::abort();
  }
  std::free(memory);
  return passed;
}
}  // namespace model
