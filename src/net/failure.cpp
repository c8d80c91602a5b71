#include "net/failure.hpp"

#include <weft/deadline.hpp>
#include <weft/operation_canceled.hpp>

#include "base/limits.hpp"
#include "sched/explorer.hpp"
#include "time/deadline_scope.hpp"

namespace weft::detail {
bool means_deadline(const std::error_code& code) noexcept {
  return code == system_code(ETIMEDOUT) && now_here() >= scope_deadline();
}

void throw_if_ended(const std::error_code& code) {
  if (code == system_code(ECANCELED)) throw operation_canceled();
  if (means_deadline(code)) throw deadline_exceeded();
}

std::string quoted(std::string_view text) {
  constexpr std::size_t most = 300;
  std::string shown(text.substr(0, most));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = '?';
  }
  return '"' + shown + (text.size() > most ? "..." : "") + '"';
}

void throw_failure(const std::string& attempted, const failure& failed) {
  throw_if_ended(failed.code);
  std::string why;
  if (failed.why) {
    why = failed.why;
  } else if (failed.code.category() == std::generic_category()) {
    why = limit_text(failed.code.value()).text;
  }
  if (!why.empty()) why = " (" + why + ")";
  throw std::system_error(failed.code, "weft: " + attempted + why);
}
}  // namespace weft::detail
