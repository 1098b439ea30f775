// Faults that come and go disturb nobody whom they do not concern.
#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "tests/support/fault_examples.h"
#include "tests/support/traffic_fault_test.h"

namespace faultline::testing {
namespace {

class NetInterference : public TrafficFaultTest {
 protected:
  NetInterference() : TrafficFaultTest("delay") {}

  // Segments that were sent again, in one direction of both streams. Under emulation an answer may be late
  // enough for that; the receiver then tells that it has got them twice, so that they were not lost.
  struct SentAgain {
    std::uint64_t all = 0, needlessly = 0;
    std::uint64_t lost() const { return all - std::min(all, needlessly); }
  };
  struct Streams {
    StreamResult neighbours;  // to the very peer that the target's faults are about
    StreamResult targets;     // to a peer that no fault is about
    SentAgain there, back;

    std::uint64_t lost() const { return there.lost() + back.lost(); }
    std::string text() const {
      return fmt::format("{} and {} kB, lost {} (sent again {}, {} of them needlessly; back {}, {})",
                         neighbours.back / 1000, targets.back / 1000, lost(), there.all, there.needlessly,
                         back.all, back.needlessly);
    }
  };

  static SentAgain sent_again(const std::string& netns, const SentAgain& before) {
    return {.all = snmp(netns, "Tcp", "RetransSegs") - before.all,
            .needlessly = snmp(netns, "TcpExt", "TCPDSACKRecvSegs") - before.needlessly};
  }

  // Two streams, both ways, for as long as `meanwhile` takes.
  template <typename Meanwhile>
  Streams streams(const Meanwhile& meanwhile) {
    Streams result;
    const SentAgain there = sent_again(lab.net.netns(), {});
    const SentAgain back = sent_again(lab.net.peer_netns(), {});
    NetLab::start_stream(lab.net.neighbour(), kPeer, kPort);
    NetLab::start_stream(lab.net.target(), kOtherPeer, kOtherPort);
    meanwhile();
    result.neighbours = NetLab::end_stream(lab.net.neighbour());
    result.targets = NetLab::end_stream(lab.net.target());
    result.there = sent_again(lab.net.netns(), there);
    result.back = sent_again(lab.net.peer_netns(), back);
    return result;
  }

  static void expect_whole(const StreamResult& stream) {
    EXPECT_GT(stream.sent, 1'000'000u);
    EXPECT_EQ(stream.back, stream.sent) << "no byte lost";
    EXPECT_EQ(stream.wrong, 0u);
  }

  // `come_and_go` is called `rounds` times; then the streams run as long without it.
  template <typename ComeAndGo>
  void compare(int rounds, const ComeAndGo& come_and_go) {
    Nanos took{};
    const Streams faulted = streams([&] {
      const MonoTime start = mono_now();
      for (int i = 0; i < rounds; ++i) come_and_go(i);
      took = mono_now() - start;
    });
    const Streams control = streams([&] { std::this_thread::sleep_for(took); });
    for (const Streams* run : {&faulted, &control}) {
      expect_whole(run->neighbours);
      expect_whole(run->targets);
    }
    std::cout << fmt::format("{:.1f} s with faults: {}\nand without: {}\n",
                             std::chrono::duration<double>(took).count(), faulted.text(), control.text());
    EXPECT_LE(faulted.lost(), control.lost());
  }

  // In turn a fault that delays, one that drops, one that limits, one that cuts off.
  static v1::FaultSpec kind_of(int i) {
    static const char* const kKinds[] = {"delay", "loss", "rate", "partition", "corrupt"};
    return fault_examples().at(kKinds[i % 5]).spec;
  }
};

TEST_F(NetInterference, FaultsComeAndGoBesideOneThatStays) {
  apply(delay_spec(std::chrono::milliseconds(300)), "stays");
  compare(25, [&](int i) {
    apply(kind_of(i));
    lab.revert();
  });
  EXPECT_EQ(lab.status("stays").state(), v1::FAULT_STATE_ACTIVE);
}

// A fault that shapes nothing keeps the programs, which take the kernel a second to load under emulation.
TEST_F(NetInterference, TheTreeComesAndGoesWithEachFault) {
  v1::FaultSpec other;
  other.mutable_reject()->mutable_traffic()->add_peers("192.0.2.1");
  apply(other, "stays");
  compare(100, [&](int i) {
    apply(kind_of(i));
    const v1::FaultStatus status = lab.revert();
    EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
  });
}

// Without tcx links, before 6.6, the tree at the host end stands on the device itself, and others lose
// packets while it comes and goes (docs/architecture.md, limits): there another fault holds it.
TEST_F(NetInterference, FaultsOfWhatArrivesComeAndGo) {
  v1::FaultSpec arriving = delay_spec(std::chrono::milliseconds(300));
  arriving.mutable_delay()->mutable_traffic()->set_direction(v1::DIRECTION_INGRESS);
  v1::FaultSpec other;
  other.mutable_reject()->mutable_traffic()->add_peers("192.0.2.1");
  apply(shared_support().redirect().ok() ? other : arriving, "stays");
  compare(30, [&](int) {
    apply(arriving);
    const v1::FaultStatus status = lab.revert();
    EXPECT_EQ(status.residue_size(), 0) << status.DebugString();
  });
}

}  // namespace
}  // namespace faultline::testing
