// A program that runs with other rights than its caller's does not listen to his environment.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/fibers.hpp"
#include "support/process.hpp"
#include "support/sanitizer.hpp"

namespace weft::test {
namespace {
// Makes the default runtime, which cannot be made with the value below.
TEST(environment, DISABLED_victim) {
  EXPECT_NO_THROW(run([] {}));
}

ended run_victim(const std::string& program) {
  return shell("WEFT_WORKERS=nonsense " + program + only("environment.DISABLED_victim"));
}

TEST(environment, is_ignored_by_a_program_with_other_rights) {
  if (sanitized) GTEST_SKIP() << "sanitizers refuse to run so";
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a set-user-ID file of another user";
  EXPECT_TRUE(run_victim(own_path()).has("WEFT_WORKERS"))
      << "the victim must fail where it listens";

  std::string folder = std::filesystem::temp_directory_path() / "weft-environment-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  struct statvfs mount {};
  if (::statvfs(folder.c_str(), &mount) != 0 || mount.f_flag & ST_NOSUID) {
    std::filesystem::remove_all(folder);
    GTEST_SKIP() << "set-user-ID bits have no effect below " << folder;
  }
  const std::string copy = folder + "/victim";
  std::filesystem::copy_file(own_path(), copy);
  constexpr uid_t nobody = 65534;
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  ASSERT_EQ(::chown(copy.c_str(), nobody, nobody), 0);
  ASSERT_EQ(::chmod(copy.c_str(), 04755), 0);
  const ended ran = run_victim(copy);
  EXPECT_EQ(ran.status, 0) << ran.output;
  std::filesystem::remove_all(folder);
}
}  // namespace
}  // namespace weft::test
