#include "net/failure.hpp"

#include <sys/resource.h>

#include <weft/deadline.hpp>
#include <weft/operation_canceled.hpp>

#include "sched/explorer.hpp"
#include "time/deadline_scope.hpp"

namespace weft::detail {
namespace {
std::string number(rlim_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

// Which limit was hit and how to raise it; empty: the code's own text is all there is to say.
std::string advice(int error) {
  switch (error) {
    case EMFILE: {
      rlimit limit{};
      ::getrlimit(RLIMIT_NOFILE, &limit);
      return "all descriptors that RLIMIT_NOFILE allows are in use; it is " +
             number(limit.rlim_cur) + ", setrlimit and ulimit -n raise it up to " +
             number(limit.rlim_max);
    }
    case ENFILE:
      return "the system is out of open files: raise the sysctl fs.file-max";
    case ENOSPC:
      return "too many descriptors are watched: raise the sysctl fs.epoll.max_user_watches";
    case ENOBUFS:
    case ENOMEM:
      return "no memory for it: look at the sysctl net.ipv4.tcp_mem and the limit of the cgroup";
    default:
      return {};
  }
}
}  // namespace

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
    why = advice(failed.code.value());
  }
  if (!why.empty()) why = " (" + why + ")";
  throw std::system_error(failed.code, "weft: " + attempted + why);
}
}  // namespace weft::detail
