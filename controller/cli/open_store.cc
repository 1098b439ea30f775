#include "controller/cli/open_store.h"

namespace faultline {

StatusOr<std::unique_ptr<ResultStore>> open_store(const GlobalArgs& global) {
  if (!global.store.empty()) return open_sqlite_store(global.store);
  FL_ASSIGN_OR_RETURN(const std::string path, default_store_path());
  return open_sqlite_store(path);
}

}  // namespace faultline
