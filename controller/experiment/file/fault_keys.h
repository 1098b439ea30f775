// The mappings inside a fault of an experiment file and the keys that they take, as in keys.h. Which kinds
// there are is told by fault_kinds.h.
#pragma once

#include <string_view>

#include "controller/experiment/file/fields.h"

namespace faultline {

inline constexpr Key kPulseKeyList[] = {{"on", true}, {"off", true}};
inline constexpr KeyTable kPulseKeys{"/$defs/pulse", kPulseKeyList};

inline constexpr Key kNetworkFilterKeyList[] = {{"peers"},    {"except"},    {"ports"}, {"localPorts"},
                                                {"protocol"}, {"direction"}, {"share"}, {"shareOf"}};
inline constexpr KeyTable kNetworkFilterKeys{"/$defs/networkFilter", kNetworkFilterKeyList};

// How packets are selected: keys of the fault's own mapping.
inline constexpr std::string_view kSelectionWords[] = {"probability", "every", "first", "bursts"};

inline constexpr Key kBurstsKeyList[] = {{"enterBad", true}, {"leaveBad", true}, {"hitInBad"}, {"hitInGood"}};
inline constexpr KeyTable kBurstsKeys{"/$defs/bursts", kBurstsKeyList};

inline constexpr Key kTrafficKeyList[] = {{"traffic"}};

inline constexpr Key kDelayKeyList[] = {
    {"latency", true}, {"jitter"}, {"correlation"}, {"distribution"}, {"traffic"}};
inline constexpr KeyTable kDelayKeys{"/$defs/delay", kDelayKeyList};

inline constexpr KeyTable kLossKeys{"/$defs/loss", kTrafficKeyList, kSelectionWords};
inline constexpr KeyTable kDuplicateKeys{"/$defs/duplicate", kTrafficKeyList, kSelectionWords};
inline constexpr KeyTable kCorruptKeys{"/$defs/corrupt", kTrafficKeyList, kSelectionWords};

inline constexpr Key kReorderKeyList[] = {{"hold", true}, {"traffic"}};
inline constexpr KeyTable kReorderKeys{"/$defs/reorder", kReorderKeyList, kSelectionWords};

inline constexpr Key kRateKeyList[] = {{"bandwidth", true}, {"burst"}, {"maxWait"}, {"traffic"}};
inline constexpr KeyTable kRateKeys{"/$defs/rate", kRateKeyList};

inline constexpr KeyTable kPartitionKeys{
    .schema = "/$defs/partition", .keys = kTrafficKeyList, .may_be_empty = true};
inline constexpr KeyTable kRejectKeys{
    .schema = "/$defs/reject", .keys = kTrafficKeyList, .may_be_empty = true};

inline constexpr Key kConnectErrorKeyList[] = {{"error", true}, {"traffic"}};
inline constexpr KeyTable kConnectErrorKeys{"/$defs/connectError", kConnectErrorKeyList};

inline constexpr Key kResetKeyList[] = {{"every"}, {"traffic"}};
inline constexpr KeyTable kResetKeys{.schema = "/$defs/reset", .keys = kResetKeyList, .may_be_empty = true};

inline constexpr Key kDnsKeyList[] = {{"answer", true}, {"names"}, {"delay"}, {"addresses"}};
inline constexpr KeyTable kDnsKeys{
    .schema = "/$defs/dns", .keys = kDnsKeyList, .choices = kSelectionWords, .may_lack_choice = true};

}  // namespace faultline
