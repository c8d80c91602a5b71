#include "base/cpu_count.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iterator>
#include <limits>

namespace weft::detail {
namespace {

// The next field of `text` up to `separator`, taken off its front.
std::string_view next_field(std::string_view& text, char separator) noexcept {
  const std::size_t end = text.find(separator);
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return field;
}

std::string_view trim(std::string_view text) noexcept {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> parse_number(std::string_view text) noexcept {
  text = trim(text);
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<unsigned> quota_in_cpus(std::optional<std::int64_t> quota,
                                      std::optional<std::int64_t> period) noexcept {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  const std::int64_t cpus = *quota / *period + (*quota % *period != 0 ? 1 : 0);
  return static_cast<unsigned>(std::min<std::int64_t>(cpus, std::numeric_limits<int>::max()));
}

bool has_item(std::string_view comma_separated, std::string_view item) noexcept {
  while (!comma_separated.empty()) {
    if (next_field(comma_separated, ',') == item) return true;
  }
  return false;
}

// mountinfo writes space, tab, newline and backslash in paths as \ooo.
std::string unescape(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<unsigned> group_limit(const std::string& directory, bool v2) {
  if (v2) {
    const std::optional<std::string> max = read_file(directory + "/cpu.max");
    return max ? parse_cpu_max(*max) : std::nullopt;
  }
  const std::optional<std::string> quota = read_file(directory + "/cpu.cfs_quota_us");
  const std::optional<std::string> period = read_file(directory + "/cpu.cfs_period_us");
  return quota && period ? parse_cfs(*quota, *period) : std::nullopt;
}

// The group's path below the mount point: the mount shows the subtree under mount.root.
// A group outside that subtree (a container sees its host's path here): the mount's own top.
std::string below_mount(const std::string& group, const std::string& mount_root) {
  if (mount_root == "/") return group;
  if (!group.starts_with(mount_root)) return "";
  const std::string rest = group.substr(mount_root.size());
  return rest.empty() || rest.front() == '/' ? rest : "";
}

// CPUs in the calling thread's affinity mask. The kernel refuses a mask smaller than its own, so
// the size doubles until it is taken.
unsigned affinity_cpus() noexcept {
  for (std::size_t cpus = 1024; cpus <= (std::size_t{1} << 20); cpus *= 2) {
    cpu_set_t* const set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    const int count = ::sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return static_cast<unsigned>(count);
  }
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<unsigned>(online) : 1;
}

}  // namespace

std::optional<unsigned> parse_cpu_max(std::string_view text) noexcept {
  text = trim(text);
  const std::string_view quota = next_field(text, ' ');
  if (quota == "max") return std::nullopt;
  return quota_in_cpus(parse_number(quota), parse_number(text));
}

std::optional<unsigned> parse_cfs(std::string_view quota, std::string_view period) noexcept {
  return quota_in_cpus(parse_number(quota), parse_number(period));
}

// A line: id parent major:minor root point options [optional fields] - type source super-options
std::optional<cgroup_mount> parse_mountinfo(std::string_view text) {
  std::optional<cgroup_mount> v2;
  while (!text.empty()) {
    std::string_view line = next_field(text, '\n');
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view tail = line.substr(dash + 3);
    const std::string_view type = next_field(tail, ' ');
    next_field(tail, ' ');  // source
    for (int skipped = 0; skipped < 3; ++skipped) next_field(line, ' ');
    const std::string_view root = next_field(line, ' ');
    const std::string_view point = next_field(line, ' ');
    if (type == "cgroup" && has_item(trim(tail), "cpu")) {
      return cgroup_mount{false, unescape(root), unescape(point)};
    }
    if (type == "cgroup2" && !v2) v2 = cgroup_mount{true, unescape(root), unescape(point)};
  }
  return v2;
}

// A line: hierarchy-id:controllers:path; v2's is "0::path". The path may contain colons.
std::optional<std::string> parse_self_cgroup(std::string_view text, bool v2) {
  while (!text.empty()) {
    std::string_view line = next_field(text, '\n');
    const std::string_view id = next_field(line, ':');
    const std::string_view controllers = next_field(line, ':');
    const bool found = v2 ? id == "0" && controllers.empty() : has_item(controllers, "cpu");
    if (found && !line.empty()) return std::string(line);
  }
  return std::nullopt;
}

std::optional<unsigned> cgroup_cpus(const std::string& root) {
  const std::optional<std::string> mounts = read_file(root + "/proc/self/mountinfo");
  const std::optional<std::string> groups = read_file(root + "/proc/self/cgroup");
  if (!mounts || !groups) return std::nullopt;
  const std::optional<cgroup_mount> mount = parse_mountinfo(*mounts);
  if (!mount) return std::nullopt;
  const std::optional<std::string> group = parse_self_cgroup(*groups, mount->v2);
  if (!group) return std::nullopt;

  // A quota binds the groups below it too, so the smallest on the way up counts.
  std::optional<unsigned> least;
  std::string path = below_mount(*group, mount->root);
  for (;;) {
    while (path.ends_with('/')) path.pop_back();
    const std::optional<unsigned> limit = group_limit(root + mount->point + path, mount->v2);
    if (limit && (!least || *limit < *least)) least = limit;
    if (path.empty()) return least;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

unsigned usable_cpus() noexcept {
  unsigned cpus = affinity_cpus();
  try {
    if (const std::optional<unsigned> quota = cgroup_cpus("")) cpus = std::min(cpus, *quota);
  } catch (const std::exception&) {
    // No memory for a path: the mask alone is still a fair answer.
  }
  return std::max(cpus, 1U);
}

}  // namespace weft::detail
