// The SQLite database's layout, as the list of steps that build it. A step that has been released never
// changes; a new layout is a new step at the end.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "controller/store/result_store.h"

namespace faultline {

// PRAGMA application_id of every results database ("FLRS"): tells ours from another program's.
inline constexpr int kSqliteApplicationId = 0x464c5253;

// Element k takes a database from user_version k to k + 1.
std::span<const std::string_view> sqlite_migrations();

// As open_sqlite_store(), with these steps.
StatusOr<std::unique_ptr<ResultStore>> open_sqlite_store_at(const std::string& path,
                                                            std::span<const std::string_view> migrations);

}  // namespace faultline
