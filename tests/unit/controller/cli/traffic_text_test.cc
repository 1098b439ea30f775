#include "controller/cli/traffic_text.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/experiment/one_fault.h"

namespace faultline {
namespace {

std::string text_of(const std::string& keys) {
  return traffic_text(spec_of(keys));
}

TEST(TrafficText, TellsTheFilterInTheWordsOfTheFile) {
  EXPECT_EQ(text_of("delay: { latency: 1ms, traffic: { peers: [10.0.0.7, 'fd00::/64', db.example, 'pid:7'], "
                    "except: ['container:x', 10.0.0.9], ports: [9090, 8000-8010], localPorts: [53], "
                    "protocol: udp, direction: both, share: 12.5%, shareOf: connections } }"),
            "traffic: both directions; peers: 10.0.0.7, fd00::/64, db.example, pid:7; except: container:x, "
            "10.0.0.9; protocol: udp; ports: 9090, 8000-8010; localPorts: 53; share: 12.5% of connections");
  EXPECT_EQ(text_of("loss: { every: 2, traffic: { protocol: tcp, direction: ingress, share: 20% } }"),
            "traffic: ingress; peers: any; protocol: tcp; ports: any; share: 20% of packets");
  EXPECT_EQ(text_of("reject: { traffic: { protocol: icmp } }"),
            "traffic: egress; peers: any; protocol: icmp");
}

TEST(TrafficText, TellsWhatAKindMakesOfAFilterThatSaysNothing) {
  EXPECT_EQ(text_of("rate: { bandwidth: 1mbit }"), "traffic: egress; peers: any; protocol: any");
  EXPECT_EQ(text_of("partition: {}"), "traffic: both directions; peers: any; protocol: any");
  EXPECT_EQ(text_of("reset: {}"), "traffic: whole connections; peers: any; protocol: tcp; ports: any");
  EXPECT_EQ(text_of("connect-error: { error: EACCES, traffic: { share: 50% } }"),
            "traffic: egress; peers: any; protocol: any; share: 50% of connection attempts");
  EXPECT_EQ(text_of("dns: { answer: timeout }"), "traffic: queries to port 53; names: any");
  EXPECT_EQ(text_of("dns: { answer: timeout, names: ['*.example', db] }"),
            "traffic: queries to port 53; names: *.example, db");
}

TEST(TrafficText, KnowsTheFilterOfEveryKind) {
  const google::protobuf::Descriptor& spec_type = *v1::FaultSpec::descriptor();
  int filters = 0;
  for (int i = 0; i < spec_type.oneof_decl(0)->field_count(); ++i) {
    const google::protobuf::FieldDescriptor& kind = *spec_type.oneof_decl(0)->field(i);
    const google::protobuf::FieldDescriptor* traffic = kind.message_type()->FindFieldByName("traffic");
    if (traffic == nullptr) continue;
    ++filters;
    v1::FaultSpec spec;
    google::protobuf::Message& message = *spec.GetReflection()->MutableMessage(&spec, &kind);
    static_cast<v1::NetworkFilter*>(message.GetReflection()->MutableMessage(&message, traffic))
        ->add_peers("h");
    EXPECT_NE(traffic_text(spec).find("; peers: h;"), std::string::npos) << kind.name() << " in traffic_of()";
  }
  EXPECT_GE(filters, 10);
}

}  // namespace
}  // namespace faultline
