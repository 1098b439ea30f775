#include "common/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace faultline {
namespace {

TEST(Status, ContextGrowsFromTheLeftAndKeepsTheCode) {
  const Status inner = errno_status(EPERM, "attach net_steer");
  const Status outer = annotate(annotate(inner, "cgroup /a"), "apply f1");
  EXPECT_EQ(outer.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(message_of(outer), "apply f1: cgroup /a: attach net_steer: Operation not permitted");
}

TEST(Status, AnnotatingSuccessIsSuccess) {
  EXPECT_TRUE(annotate(ok_status(), "nothing happened").ok());
}

TEST(Status, AnErrnoBecomesTheCodeACallerCanActOn) {
  EXPECT_EQ(errno_status(ENOENT, "x").code(), StatusCode::kNotFound);
  EXPECT_EQ(errno_status(EACCES, "x").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(errno_status(EINVAL, "x").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(errno_status(EEXIST, "x").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(errno_status(EOPNOTSUPP, "x").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(errno_status(ENOSPC, "x").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(errno_status(ECONNREFUSED, "x").code(), StatusCode::kUnavailable);
  EXPECT_EQ(errno_status(EIO, "x").code(), StatusCode::kInternal);
}

StatusOr<std::unique_ptr<int>> boxed(int value) {
  if (value < 0) return invalid_argument("{} is below zero", value);
  return std::make_unique<int>(value);
}

StatusOr<int> sum(int a, int b, int& evaluations) {
  FL_RETURN_IF_ERROR((++evaluations, ok_status()));
  FL_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, boxed(a));
  FL_ASSIGN_OR_RETURN(const std::unique_ptr<int> second, boxed(b));
  return *first + *second;
}

TEST(Status, MacrosMoveValuesOutAndReturnTheFirstError) {
  int evaluations = 0;
  const StatusOr<int> good = sum(2, 3, evaluations);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 5);
  EXPECT_EQ(evaluations, 1);
  EXPECT_EQ(message_of(sum(2, -3, evaluations).status()), "-3 is below zero");
  EXPECT_EQ(message_of(sum(-2, -3, evaluations).status()), "-2 is below zero");
}

}  // namespace
}  // namespace faultline
