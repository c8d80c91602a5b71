#include "fault/child.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <new>
#include <system_error>
#include <weft/debug.hpp>

namespace weft::test {
namespace {
constexpr int hung_code = 99;

long entries(const char* path) noexcept {
  long n = 0;
  DIR* all = ::opendir(path);
  if (!all) return -1;
  while (::readdir(all)) ++n;
  ::closedir(all);
  return n;
}

long lines(const char* path) noexcept {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  long n = 0;
  for (ssize_t got; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
    for (ssize_t i = 0; i < got; ++i) n += buffer[i] == '\n';
  }
  ::close(fd);
  return n;
}

void on_alarm(int) {
  disarm();
  dump(STDERR_FILENO);
  ::_exit(hung_code);
}
}  // namespace

holdings holdings_now() noexcept {
  holdings now;
  now.descriptors = entries("/proc/self/fd");
  now.threads = entries("/proc/self/task");
  now.mappings = lines("/proc/self/maps");
  now.blocks = live_blocks();
  return now;
}

child_report& shared_report() {
  static void* const at = ::mmap(nullptr, sizeof(child_report), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  return *::new (at) child_report;
}

child_end run_child(child_report& report, const std::function<void(child_report&)>& body,
                    unsigned seconds) {
  std::FILE* const errors = std::tmpfile();
  if (!errors) throw std::system_error(errno, std::generic_category(), "tmpfile");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::fileno(errors), STDERR_FILENO);
    struct sigaction act {};
    act.sa_handler = on_alarm;
    ::sigaction(SIGALRM, &act, nullptr);
    ::alarm(seconds);
    body(report);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  child_end end;
  if (WIFSIGNALED(status)) {
    end.how = child_end::signalled;
    end.code = WTERMSIG(status);
  } else {
    end.code = WEXITSTATUS(status);
    if (end.code == hung_code) end.how = child_end::hung;
  }
  std::rewind(errors);
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, errors)) > 0;) {
    end.errors.append(buffer, n);
  }
  std::fclose(errors);
  return end;
}
}  // namespace weft::test
