// A TCP stream to an echo server, with every byte that comes back compared with what was sent.
#pragma once

#include <cstddef>
#include <string>

namespace faultline::testing {

// Sends `bytes`, or with 0 a megabyte a second until the next line comes on stdin (which it takes), while
// reading what comes back -> "SENT BACK WRONG RETRANSMITS NS": bytes sent, bytes that came back, those of
// them that were others than sent, segments sent again, and the time from the connection to the last byte.
// "-1" where there is no connection. Gives up when nothing has moved for 20 s.
std::string stream(const std::string& to, int port, std::size_t bytes);

}  // namespace faultline::testing
