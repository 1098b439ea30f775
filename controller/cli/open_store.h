// The results database that the command line names, or the default one.
#pragma once

#include <memory>

#include "controller/cli/command_line.h"
#include "controller/store/result_store.h"

namespace faultline {

StatusOr<std::unique_ptr<ResultStore>> open_store(const GlobalArgs& global);

}  // namespace faultline
