// The servers of the lab's peer namespace. They run until they are killed.
#pragma once

#include <string>
#include <vector>

namespace faultline::testing {

// Sends every UDP datagram, and whatever comes over a TCP connection, back to where it came from. `pairs`:
// ADDRESS, PORT, ADDRESS, PORT, ...; each is served by a socket of its own, so that an answer comes from
// where the question went.
int serve_echo(const std::vector<std::string>& pairs);

// A name server on port 53 of each address, over UDP and TCP. The n-th of them (from 1 on) answers every A
// query with 192.0.2.n, every AAAA query with 2001:db8::n, and others with nothing; what is asked with EDNS
// is answered with it. Names that begin with "big" have 200 addresses over TCP and are truncated over UDP.
int serve_names(const std::vector<std::string>& addresses);

}  // namespace faultline::testing
