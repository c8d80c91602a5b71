#include "support/process.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace weft::test {
std::string own_path() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

std::string own_command() {
  return WEFT_TEST_EMULATOR " '" + own_path() + "'";
}

bool emulated() {
  return *WEFT_TEST_EMULATOR != 0;
}

std::string only(const std::string& test) {
  return " --gtest_also_run_disabled_tests --gtest_filter=" + test + " ";
}

namespace {
int as_a_shell(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
}  // namespace

int status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return as_a_shell(status);
}

ended shell(const std::string& command) {
  std::FILE* const pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
  if (!pipe) throw std::system_error(errno, std::generic_category(), "popen");
  ended result;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    result.output += static_cast<char>(c);
  }
  result.status = as_a_shell(::pclose(pipe));
  return result;
}
}  // namespace weft::test
