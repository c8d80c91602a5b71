#pragma once

// What std does "at thread exit".
namespace weft::detail {
// To be done at the end of a fiber or kernel thread, when its fiber_locals are gone. `run` owns it.
struct exit_action {
  void (*run)(exit_action*) noexcept;
  exit_action* next = nullptr;
};
// Makes room for the next one of the running fiber or thread. May throw std::bad_alloc,
// std::system_error.
void prepare_exit();
// Behind that, on the same fiber or thread. The latest one is done first.
void at_exit(exit_action&) noexcept;
}  // namespace weft::detail
