// How many CPUs this process may really use: what a runtime takes for its number of workers when
// nobody says another.
//
// std::thread::hardware_concurrency() sees the affinity mask but not the cgroup's CPU quota: in a
// container allowed 2 CPUs of a 64-CPU host it says 64, and 62 processors would take turns being
// throttled with fibers in their hands.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::detail {

// The smaller of the CPUs in the affinity mask and the quota of the cgroup and of every group above
// it (v1 and v2), rounded up; at least 1. Reads /proc and /sys each time: ask once. Any thread; the
// mask is the caller's.
unsigned usable_cpus() noexcept;

// The pieces, for tests. A quota is in CPUs, rounded up; nullopt means "no limit, or none that can
// be made out": never a reason to fail.

// The contents of a v2 cpu.max: "200000 100000" or "max 100000".
std::optional<unsigned> parse_cpu_max(std::string_view text) noexcept;

// The contents of v1's cpu.cfs_quota_us and cpu.cfs_period_us; a quota of -1 means none.
std::optional<unsigned> parse_cfs(std::string_view quota, std::string_view period) noexcept;

// One mounted cgroup hierarchy that can limit CPU time.
struct cgroup_mount {
  bool v2;
  std::string root;   // which group of the hierarchy is mounted; "/" without a bind mount
  std::string point;  // where
};

// From /proc/self/mountinfo. v1's cpu controller wins where both are mounted (a hybrid set-up
// mounts a v2 hierarchy that has no controllers).
std::optional<cgroup_mount> parse_mountinfo(std::string_view text);

// From /proc/self/cgroup: this process's group in that hierarchy, such as "/user.slice/x.service".
std::optional<std::string> parse_self_cgroup(std::string_view text, bool v2);

// All of it, with every path taken below `root` ("" in production).
std::optional<unsigned> cgroup_cpus(const std::string& root);

}  // namespace weft::detail
