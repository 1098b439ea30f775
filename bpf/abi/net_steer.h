/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What net_steer.bpf.c and the agent share. The agent writes, the program reads, through the skeleton's mapped
 * .bss; the counters go the other way.
 *
 * Rules live in two tables of which `active_table` names the one in force: the agent fills the other and then
 * stores the index, so the program never sees half a change. A fault ends the moment deadline_ns is not in the
 * future, whatever the tables say.
 */
#ifndef FAULTLINE_ABI_NET_STEER_H
#define FAULTLINE_ABI_NET_STEER_H

#include <linux/types.h>

#define FL_NET_MAX_RULES 64
#define FL_NET_MAX_FAULTS 32

enum fl_net_family {
	FL_NET_ANY = 0,
	FL_NET_IPV4 = 4,
	FL_NET_IPV6 = 6,
};

enum fl_net_protocol {
	FL_NET_PROTO_ANY = 0,
	FL_NET_PROTO_TCP = 1,
	FL_NET_PROTO_UDP = 2,
	FL_NET_PROTO_ICMP = 3, /* ICMP and ICMPv6 */
};

/* One peer network x one port range. Several rules may feed one fault. */
struct fl_net_rule {
	__u32 addr[4]; /* network byte order, already masked; IPv4 in [0] */
	__u32 mask[4];
	__u16 port_first; /* host byte order */
	__u16 port_last;
	__u8 family;   /* enum fl_net_family */
	__u8 protocol; /* enum fl_net_protocol */
	__u8 by_port;  /* compare ports; packets without a known port do not match */
	__u8 fault;    /* index into the faults */
};

struct fl_net_table {
	struct fl_net_rule rules[FL_NET_MAX_RULES]; /* the first match decides */
	__u32 count;
	__u32 pad;
};

struct fl_net_fault {
	__u64 deadline_ns; /* bpf_ktime_get_ns() clock; 0: not in force */
	__u64 threshold;   /* injected when the dice are below; 2^32: always */
	__u64 seed;
	__u32 priority;    /* value for skb->priority: qdisc handle | band */
	__u32 pad;
	__u64 matched;     /* also the number of the next draw */
	__u64 injected;
};

#endif
