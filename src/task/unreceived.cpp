#include "task/unreceived.hpp"

#include "base/fatal.hpp"

namespace weft::detail {
void end_with_unreceived(const char* what, const void* object,
                         const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    report("%s at %p: nobody has received what a fiber of it has thrown: %s", what, object,
           known.what());
  } catch (...) {
    report("%s at %p: nobody has received the exception that has left a fiber of it", what, object);
  }
  std::terminate();
}
}  // namespace weft::detail
