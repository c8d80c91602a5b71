#pragma once
#include <exception>

namespace weft::detail {
// The end of the process: an exception that nobody has asked for is not dropped. `what` is the type
// of the object that has it.
[[noreturn]] void end_with_unreceived(const char* what, const void* object,
                                      const std::exception_ptr& error) noexcept;
}  // namespace weft::detail
