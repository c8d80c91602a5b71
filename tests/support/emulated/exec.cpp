// GoogleTest's death tests execute this program again. The kernel cannot run a program of another
// architecture, so this execv, which goes before the C library's, asks the emulator to. Only in
// cross builds.
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>
#include <vector>

extern "C" int execv(const char* path, char* const* arguments) noexcept {
  ::execve(path, arguments, environ);
  if (errno != ENOEXEC) return -1;
  std::vector<std::string> words;
  std::istringstream emulator(WEFT_TEST_EMULATOR);
  for (std::string word; emulator >> word;) words.push_back(word);
  words.emplace_back(path);
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  for (++arguments; *arguments; ++arguments) all.push_back(*arguments);
  all.push_back(nullptr);
  return ::execvp(all[0], all.data());
}
