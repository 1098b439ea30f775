// What standard output is.
#pragma once

#include <cstddef>

namespace faultline {

struct Terminal {
  bool live = false;   // a terminal on which lines can be redrawn
  bool color = false;  // and colours are wanted (NO_COLOR is not set)
};

Terminal inspect_stdout();

// Columns of the terminal at standard output now; 80 where that is not known.
std::size_t terminal_columns();

}  // namespace faultline
