#pragma once
#include <sys/types.h>

#include <string>

// Tests that run programs, this one among them.
namespace weft::test {
// The file of this program.
std::string own_path();
// A command that runs this program; in a cross build the emulator does.
std::string own_command();
// Whether an emulator runs this program, some ten times slower than a processor would.
bool emulated();
// Arguments with which it runs one test, a disabled one too.
std::string only(const std::string& test);

struct ended {
  int status;          // as status_of has it
  std::string output;  // stdout and stderr
  bool has(const std::string& text) const { return output.find(text) != std::string::npos; }
};
// Waits for the end of a child. As a shell has it: the exit code, or 128 and the signal.
int status_of(pid_t child);
// Waits for the end of a command of the shell.
ended shell(const std::string& command);
}  // namespace weft::test
