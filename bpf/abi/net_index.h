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
 * The keys cut into spans, each with its set. start[] ascends; unused places at its end hold the greatest key, and
 * their sets repeat the last one. sets[i] is for keys from start[i - 1] to before start[i].
 */
struct fl_net_spans {
	__u32 start[FL_NET_SPANS];
	__u32 sets[FL_NET_SPANS];
	__u32 top; /* greatest power of two not above the number of starts, at most FL_NET_SPANS / 2; 0: none */
	__u32 pad;
};

struct fl_net_key6 {
	__u64 high; /* of the address, host byte order */
	__u64 low;
};

struct fl_net_spans6 {
	struct fl_net_key6 start[FL_NET_SPANS];
	__u32 sets[FL_NET_SPANS];
	__u32 top;
	__u32 pad;
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

#define FL_NET_LAST (FL_NET_SPANS - 1)

static inline __attribute__((always_inline)) __u32 fl_net_set_of(const struct fl_net_spans *spans, __u32 key)
{
	__u32 step = spans->top;
	__u32 at = 0;
	int i;

	for (i = 0; i < 8 && step; i++) {
		if (spans->start[(at + step - 1) & FL_NET_LAST] <= key)
			at += step;
		step >>= 1;
	}
	return spans->sets[at & FL_NET_LAST];
}

static inline __attribute__((always_inline)) __u32 fl_net_set_of6(const struct fl_net_spans6 *spans, __u64 high,
								  __u64 low)
{
	__u32 step = spans->top;
	__u32 at = 0;
	int i;

	for (i = 0; i < 8 && step; i++) {
		const struct fl_net_key6 *start = &spans->start[(at + step - 1) & FL_NET_LAST];

		if (start->high < high || (start->high == high && start->low <= low))
			at += step;
		step >>= 1;
	}
	return spans->sets[at & FL_NET_LAST];
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
