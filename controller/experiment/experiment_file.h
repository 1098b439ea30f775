// Reads experiment files; docs/experiments.md is the reference, docs/experiment.schema.json the schema.
// Strict: whatever is not understood is an error, never skipped. The first problem is reported, as
// INVALID_ARGUMENT with "file:line:column: message", or "file: message" where there is no place. Touches
// nothing but the file; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/status.h"
#include "controller/experiment/model.h"

namespace faultline {

inline constexpr std::size_t kMaxExperimentFileBytes = 1 << 20;  // 1 MiB

// Also NOT_FOUND or PERMISSION_DENIED where the file cannot be read.
StatusOr<Experiment> load_experiment(const std::string& path);

// `file` is the name that messages carry, and Experiment::file.
StatusOr<Experiment> parse_experiment(std::string_view text, const std::string& file);

}  // namespace faultline
