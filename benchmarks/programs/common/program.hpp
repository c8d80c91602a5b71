// What every benchmark program shares: its command line and the one line of JSON that it prints.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

using clock = std::chrono::steady_clock;

inline double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(2);
}

// `--name VALUE` pairs, looked up by name; a flag that nobody asks for is ignored on purpose, so
// that the runner can hand the same line to every system.
class arguments {
 public:
  arguments(int argc, char** argv) : argc_(argc), argv_(argv) {}

  std::string_view text(std::string_view name, std::string_view otherwise) const {
    for (int i = 1; i + 1 < argc_; ++i)
      if (name == argv_[i]) return argv_[i + 1];
    return otherwise;
  }

  std::uint64_t number(std::string_view name, std::uint64_t otherwise) const {
    const std::string_view value = text(name, "");
    if (value.empty()) return otherwise;
    char* end = nullptr;
    const std::uint64_t parsed = std::strtoull(value.data(), &end, 10);
    if (*end != '\0') {
      std::fprintf(stderr, "%.*s takes a number, not '%s'\n", static_cast<int>(name.size()),
                   name.data(), value.data());
      std::exit(2);
    }
    return parsed;
  }

 private:
  int argc_;
  char** argv_;
};

// The contract with the runner: one object, on one line, at the end.
class report {
 public:
  report(std::string_view system, std::string_view workload) {
    text("system", system);
    text("workload", workload);
  }

  report& text(std::string_view name, std::string_view value) {
    return raw(name, "\"" + std::string(value) + "\"");
  }

  report& count(std::string_view name, std::uint64_t value) {
    return raw(name, std::to_string(value));
  }

  report& real(std::string_view name, double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.9g", value);
    return raw(name, digits);
  }

  report& run(std::uint64_t workers, std::uint64_t size, std::uint64_t ops, double seconds) {
    return count("workers", workers).count("size", size).count("ops", ops).real("seconds", seconds);
  }

  void print() const {
    std::printf("{%s}\n", fields_.c_str());
    std::fflush(stdout);
  }

 private:
  report& raw(std::string_view name, const std::string& value) {
    if (!fields_.empty()) fields_ += ", ";
    fields_ += "\"" + std::string(name) + "\": " + value;
    return *this;
  }

  std::string fields_;
};

}  // namespace bench
