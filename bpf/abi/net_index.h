/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which faults' filters a packet passes, as a set of bits: the search that net_steer.bpf.c makes for every packet of
 * the target. Each filter is a conjunction of conditions (address, ports, protocol); each condition has an index
 * from a packet's value to the set of filters that accept it, and the answer is the sets' intersection. So the cost
 * grows with the logarithm of the number of rules. Source of the idea: Lakshman and Stiliadis, "High-speed
 * policy-based packet forwarding using efficient multi-dimensional range matching", 1998. Built by
 * agent/kernel/net_rules.cc. Pure; shared by BPF and the agent's tests.
 */
#ifndef FAULTLINE_ABI_NET_INDEX_H
#define FAULTLINE_ABI_NET_INDEX_H

#include <linux/types.h>

enum fl_net_family {
	FL_NET_NO_FAMILY = 0,
	FL_NET_IPV4 = 4,
	FL_NET_IPV6 = 6,
};

enum fl_net_protocol {
	FL_NET_PROTO_ANY = 0, /* of a packet: none of the named */
	FL_NET_PROTO_TCP = 1,
	FL_NET_PROTO_UDP = 2,
	FL_NET_PROTO_ICMP = 3, /* ICMP and ICMPv6 */
	FL_NET_PROTOCOLS = 4,
};

/* A packet, a connection attempt or a connection, as its target sees it. */
struct fl_net_packet {
	__u32 peer[4];   /* network byte order; IPv4 in [0] */
	__u32 local[4];
	__u16 peer_port; /* host byte order */
	__u16 local_port;
	__u8 family;   /* enum fl_net_family */
	__u8 protocol; /* enum fl_net_protocol */
	__u8 has_port; /* 0 for fragments after the first, too */
	__u8 pad;
};

#define FL_NET_SPANS 256 /* a power of two */

/*
 * The keys cut into spans, each with its set. The starts ascend; unused places at the end hold the greatest key, and
 * their sets repeat the last one. A place's set is for the keys from the start of the place before it up to its own.
 */
struct fl_net_span {
	__u32 start;
	__u32 set;
};

struct fl_net_spans {
	struct fl_net_span span[FL_NET_SPANS];
	__u32 count; /* of starts; below FL_NET_SPANS */
	__u32 zero;  /* always */
};

struct fl_net_span6 {
	__u64 high; /* of the address that starts it, host byte order */
	__u64 low;
	__u32 set;
	__u32 pad[3]; /* the size must be a power of two */
};

struct fl_net_spans6 {
	struct fl_net_span6 span[FL_NET_SPANS];
	__u32 count;
	__u32 zero;
};

struct fl_net_index {
	struct fl_net_spans ipv4; /* peer, host byte order */
	struct fl_net_spans peer_port;
	struct fl_net_spans local_port;
	struct fl_net_spans6 ipv6;
	__u32 protocol[FL_NET_PROTOCOLS];
	__u32 portless; /* filters that do not look at ports */
	__u32 by_port;  /* whether any filter does */
};

/* The place `at` bytes from the first. Before a step, `at` is a multiple of twice the step: no mask changes it. */
#define FL_NET_PLACE(spans, at, step)                                                                                  \
	((__typeof__(place))((const char *)(spans)->span +                                                             \
			     ((at) & (FL_NET_SPANS - 2 * (step)) * sizeof((spans)->span[0]))))

/*
 * One step of a binary search: what a packet pays for is mostly this. `at`, in bytes, begins with a zero that the
 * verifier does not know: with known numbers it would follow each way through the search on its own, and loading the
 * programs would take four times as long. The barrier keeps the compiler from counting with truth values instead of
 * jumping.
 */
#define FL_NET_STEP(spans, at, step, not_above)                                                                        \
	do {                                                                                                           \
		place = FL_NET_PLACE(spans, at, step);                                                                 \
		if (not_above(place + (step)-1)) {                                                                     \
			(at) += (step) * sizeof((spans)->span[0]);                                                     \
			__asm__ volatile("" : "+r"(at));                                                               \
		}                                                                                                      \
	} while (0)

/* All the steps; where there are few starts, the first 15 places are all there is to search. */
#define FL_NET_SEARCH(spans, at, not_above)                                                                            \
	do {                                                                                                           \
		if ((spans)->count > 15) {                                                                             \
			FL_NET_STEP(spans, at, 128, not_above);                                                        \
			FL_NET_STEP(spans, at, 64, not_above);                                                         \
			FL_NET_STEP(spans, at, 32, not_above);                                                         \
			FL_NET_STEP(spans, at, 16, not_above);                                                         \
		}                                                                                                      \
		FL_NET_STEP(spans, at, 8, not_above);                                                                  \
		FL_NET_STEP(spans, at, 4, not_above);                                                                  \
		FL_NET_STEP(spans, at, 2, not_above);                                                                  \
		FL_NET_STEP(spans, at, 1, not_above);                                                                  \
		place = (__typeof__(place))((const char *)(spans)->span +                                              \
				       ((at) & (FL_NET_SPANS - 1) * sizeof((spans)->span[0])));                        \
	} while (0)

static inline __attribute__((always_inline)) __u32 fl_net_set_of(const struct fl_net_spans *spans, __u32 key)
{
	const struct fl_net_span *place = spans->span;
	__u32 at = spans->zero;

#define FL_NET_NOT_ABOVE(span) ((span)->start <= key)
	if (spans->count)
		FL_NET_SEARCH(spans, at, FL_NET_NOT_ABOVE);
#undef FL_NET_NOT_ABOVE
	return place->set;
}

static inline __attribute__((always_inline)) __u32 fl_net_set_of6(const struct fl_net_spans6 *spans, __u64 high,
								  __u64 low)
{
	const struct fl_net_span6 *place = spans->span;
	__u32 at = spans->zero;

#define FL_NET_NOT_ABOVE(span) ((span)->high < high || ((span)->high == high && (span)->low <= low))
	if (spans->count)
		FL_NET_SEARCH(spans, at, FL_NET_NOT_ABOVE);
#undef FL_NET_NOT_ABOVE
	return place->set;
}

/* What the peer's address alone says: the rest of the packet need not be read when this is empty. */
static inline __attribute__((always_inline)) __u32 fl_net_by_peer(const struct fl_net_index *index,
								  const struct fl_net_packet *packet)
{
	if (packet->family == FL_NET_IPV4)
		return fl_net_set_of(&index->ipv4, __builtin_bswap32(packet->peer[0]));
	return fl_net_set_of6(&index->ipv6,
			      (__u64)__builtin_bswap32(packet->peer[0]) << 32 | __builtin_bswap32(packet->peer[1]),
			      (__u64)__builtin_bswap32(packet->peer[2]) << 32 | __builtin_bswap32(packet->peer[3]));
}

static inline __attribute__((always_inline)) __u32 fl_net_by_transport(const struct fl_net_index *index,
								       const struct fl_net_packet *packet)
{
	__u32 set = index->protocol[packet->protocol & (FL_NET_PROTOCOLS - 1)];

	if (!index->by_port)
		return set;
	if (!packet->has_port)
		return set & index->portless;
	return set & fl_net_set_of(&index->peer_port, packet->peer_port) &
	       fl_net_set_of(&index->local_port, packet->local_port);
}

#endif
