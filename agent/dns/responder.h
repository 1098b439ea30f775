// A DNS responder: a thread that serves UDP and TCP sockets on the loopback addresses of one network
// namespace, each pair standing for one name server of somebody else, and does with the queries what its
// rules say; what the rules let pass is answered by the true server, byte for byte. Auto: everything ends
// with the object, or with the process. Memory and outstanding queries are bounded (udp_relay.h,
// tcp_relay.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "agent/dns/event_loop.h"
#include "agent/dns/rules.h"
#include "agent/dns/tcp_relay.h"
#include "agent/dns/udp_relay.h"
#include "agent/dns/upstream.h"
#include "common/clock.h"
#include "common/status.h"

namespace faultline {

struct DnsPorts {  // 0: no IPv6 here
  std::uint16_t udp = 0;
  std::uint16_t tcp = 0;
};

// Whether a responder could open its sockets where the calling thread is. FailedPrecondition: no working
// loopback address.
Status probe_loopback();

class Responder {
 public:
  // `enter` runs first on the responder's thread: it takes the thread to where its sockets are to be.
  // `upstream` is asked on that thread, too. Serves `places` name servers of each family; without an IPv6
  // loopback address, of IPv4 only.
  static StatusOr<std::unique_ptr<Responder>> make(std::function<Status()> enter, int places,
                                                   DnsUpstream upstream);
  ~Responder();

  DnsPorts ports(DnsPlace place) const { return ports_[place.v6].at(static_cast<std::size_t>(place.index)); }
  DnsRules& rules() { return rules_; }

  // Takes a rule away; what it held back goes to the true servers at once.
  DnsCounters remove(int rule);
  // Returns when every query under way has been answered, or after `at_most`.
  void drain(Nanos at_most);

 private:
  Responder(std::unique_ptr<EventLoop> loop, DnsUpstream upstream);
  Status open(int places);
  Status open_place(DnsPlace place);

  std::unique_ptr<EventLoop> loop_;
  DnsUpstream upstream_;
  DnsRules rules_;
  UdpRelay udp_;
  TcpRelay tcp_;
  std::vector<DnsPorts> ports_[2];  // by family
  std::thread thread_;
};

}  // namespace faultline
