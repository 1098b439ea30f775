// What this kernel can do, asked as a user asks: the real agent, the real command. The answer is kept for
// docs/kernel-support.md; kernel-support joins it with those of the other kernels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>

#include "tests/support/agent_process.h"
#include "tests/support/kernel_test.h"
#include "tests/support/temp_dir.h"

namespace faultline::testing {
namespace {

using ::testing::HasSubstr;

struct Answer {
  int exit_code = -1;
  std::string text;
};

Answer call(const std::string& command) {
  Answer answer;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return answer;
  char part[4096];
  while (const std::size_t size = std::fread(part, 1, sizeof part, pipe)) answer.text.append(part, size);
  const int status = ::pclose(pipe);
  answer.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

TEST(Doctor, TellsOfEveryKindAndLeavesThatForTheDocumentation) {
  const TempDir dir;
  const AgentProcess agent(dir.path());
  const Answer doctor = call(FAULTLINE_COMMAND " --agent unix:" + dir / "agent.sock" + " doctor --markdown");
  if (const char* out = std::getenv("FAULTLINE_OUT"))
    put_file(out + std::string("/kernel-support.md"), doctor.text);
  // Every kind on the kernels that are promised; elsewhere it may say why not.
  EXPECT_TRUE(doctor.exit_code == 0 || (doctor.exit_code == 1 && !everything_is_required())) << doctor.text;

  utsname names{};
  ::uname(&names);
  EXPECT_THAT(doctor.text, HasSubstr(std::string("\nRelease ") + names.release + ", agent "));
  const auto* kinds = v1::FaultSpec::descriptor()->FindOneofByName("kind");
  ASSERT_NE(kinds, nullptr);
  for (int i = 0; i < kinds->field_count(); ++i) {
    const std::string& kind = kinds->field(i)->json_name();
    EXPECT_THAT(doctor.text, HasSubstr("\n| " + kind + (everything_is_required() ? " | yes | " : " | ")));
  }
}

}  // namespace
}  // namespace faultline::testing
