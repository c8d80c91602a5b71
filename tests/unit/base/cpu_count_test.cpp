#include "base/cpu_count.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace weft::detail {
namespace {

TEST(cpu_max, rounds_up_to_whole_cpus) {
  EXPECT_EQ(parse_cpu_max("200000 100000\n"), 2U);
  EXPECT_EQ(parse_cpu_max("200001 100000\n"), 3U);
  EXPECT_EQ(parse_cpu_max("1 100000"), 1U);
  EXPECT_EQ(parse_cpu_max("150000 100000"), 2U);
  EXPECT_EQ(parse_cpu_max("50000 25000"), 2U);
}

TEST(cpu_max, no_limit) {
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
}

TEST(cpu_max, what_cannot_be_made_out_is_no_limit) {
  for (const char* text :
       {"", "\n", "max", "200000", "x 100000", "200000 x", "200000 0", "0 100000", "-1 100000",
        "200000 -1", "200000 100000 7", "2e5 100000", "99999999999999999999 100000"}) {
    EXPECT_EQ(parse_cpu_max(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(cpu_max, absurdly_large_is_clamped) {
  EXPECT_EQ(parse_cpu_max("9223372036854775807 1"), 2147483647U);
}

TEST(cfs, reads_quota_and_period) {
  EXPECT_EQ(parse_cfs("150000\n", "100000\n"), 2U);
  EXPECT_EQ(parse_cfs("-1\n", "100000\n"), std::nullopt);
  EXPECT_EQ(parse_cfs("", ""), std::nullopt);
}

TEST(self_cgroup, v2) {
  EXPECT_EQ(parse_self_cgroup("0::/user.slice/a.service\n", true), "/user.slice/a.service");
  EXPECT_EQ(parse_self_cgroup("4:memory:/m\n0::/\n", true), "/");
  EXPECT_EQ(parse_self_cgroup("0::/a:b\n", true), "/a:b");
  EXPECT_EQ(parse_self_cgroup("4:memory:/m\n", true), std::nullopt);
  EXPECT_EQ(parse_self_cgroup("", true), std::nullopt);
}

TEST(self_cgroup, v1_wants_the_cpu_controller_itself) {
  const char* text = "9:cpuset:/s\n5:cpuacct,cpu:/docker/abc\n1:name=systemd:/x\n0::/u\n";
  EXPECT_EQ(parse_self_cgroup(text, false), "/docker/abc");
  EXPECT_EQ(parse_self_cgroup("2:cpuacct:/a\n3:cpuset:/b\n", false), std::nullopt);
}

TEST(mountinfo, v2) {
  const auto m = parse_mountinfo(
      "22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw\n"
      "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n");
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->v2);
  EXPECT_EQ(m->root, "/");
  EXPECT_EQ(m->point, "/sys/fs/cgroup");
}

TEST(mountinfo, the_v1_controller_wins_over_an_empty_v2) {
  const auto m = parse_mountinfo(
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "33 31 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  ASSERT_TRUE(m);
  EXPECT_FALSE(m->v2);
  EXPECT_EQ(m->root, "/docker/abc");
  EXPECT_EQ(m->point, "/sys/fs/cgroup/cpu,cpuacct");
}

TEST(mountinfo, escaped_paths) {
  const auto m = parse_mountinfo("1 2 0:1 /a\\040b /with\\011tab\\134 rw - cgroup2 none rw\n");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->root, "/a b");
  EXPECT_EQ(m->point, "/with\ttab\\");
}

TEST(mountinfo, none_or_broken) {
  EXPECT_FALSE(parse_mountinfo(""));
  EXPECT_FALSE(parse_mountinfo("22 28 0:20 / /sys rw - sysfs sysfs rw\n"));
  EXPECT_FALSE(parse_mountinfo("garbage\n\n - \n"));
}

// A made-up /proc and /sys below a temporary directory.
class cgroup_tree : public testing::Test {
 protected:
  cgroup_tree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weft_cgroup_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~cgroup_tree() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  void v2(const std::string& group, const std::string& mounted = "/") {
    write("/proc/self/mountinfo", "30 22 0:26 " + mounted + " /cg rw - cgroup2 cgroup2 rw\n");
    write("/proc/self/cgroup", "0::" + group + "\n");
  }
  std::optional<unsigned> cpus() const { return cgroup_cpus(root_); }

 private:
  std::string root_;
};

TEST_F(cgroup_tree, nothing_there) {
  EXPECT_EQ(cpus(), std::nullopt);
}

TEST_F(cgroup_tree, the_group_itself) {
  v2("/a/b");
  write("/cg/a/b/cpu.max", "300000 100000\n");
  EXPECT_EQ(cpus(), 3U);
}

TEST_F(cgroup_tree, the_smallest_on_the_way_up) {
  v2("/a/b");
  write("/cg/a/b/cpu.max", "max 100000\n");
  write("/cg/a/cpu.max", "200000 100000\n");
  write("/cg/cpu.max", "700000 100000\n");
  EXPECT_EQ(cpus(), 2U);
}

TEST_F(cgroup_tree, no_limit_anywhere) {
  v2("/a");
  write("/cg/a/cpu.max", "max 100000\n");
  EXPECT_EQ(cpus(), std::nullopt);
}

TEST_F(cgroup_tree, in_a_container_the_mount_is_the_group) {
  v2("/", "/");
  write("/cg/cpu.max", "100000 100000\n");
  EXPECT_EQ(cpus(), 1U);
}

TEST_F(cgroup_tree, a_bind_mount_of_the_groups_own_subtree) {
  v2("/docker/abc/inner", "/docker/abc");
  write("/cg/inner/cpu.max", "400000 100000\n");
  EXPECT_EQ(cpus(), 4U);
}

TEST_F(cgroup_tree, a_group_outside_the_mount_falls_back_to_its_top) {
  v2("/docker/abcdef", "/docker/abc");
  write("/cg/cpu.max", "500000 100000\n");
  write("/cg/def/cpu.max", "100000 100000\n");
  EXPECT_EQ(cpus(), 5U);
}

TEST_F(cgroup_tree, a_group_above_the_namespace) {
  v2("/../../x");
  EXPECT_EQ(cpus(), std::nullopt) << "and it terminates";
}

TEST_F(cgroup_tree, v1) {
  write("/proc/self/mountinfo", "33 31 0:30 / /cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  write("/proc/self/cgroup", "4:cpu,cpuacct:/jobs/j1\n");
  write("/cpu/jobs/j1/cpu.cfs_quota_us", "-1\n");
  write("/cpu/jobs/j1/cpu.cfs_period_us", "100000\n");
  write("/cpu/jobs/cpu.cfs_quota_us", "250000\n");
  write("/cpu/jobs/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpus(), 3U);
}

TEST(usable_cpus, at_least_one_and_at_most_the_mask) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
  const unsigned all = static_cast<unsigned>(CPU_COUNT(&mask));
  EXPECT_GE(usable_cpus(), 1U);
  EXPECT_LE(usable_cpus(), all);

  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cpus(), 1U);
  ASSERT_EQ(::sched_setaffinity(0, sizeof mask, &mask), 0);
}

}  // namespace
}  // namespace weft::detail
