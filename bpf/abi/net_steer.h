/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What net_steer.bpf.c and the agent share: which traffic of one target meets which fault, and what is done to it.
 * The agent writes, the programs read, through the skeleton's mapped .bss; the counters go the other way.
 *
 * Filters live in two tables of which `active_table` names the one in force: the agent fills the other and then
 * stores the index, so no program ever sees half a change. Everything else is per fault, and a fault ends the moment
 * its schedule says so, whatever the tables say.
 */
#ifndef FAULTLINE_ABI_NET_STEER_H
#define FAULTLINE_ABI_NET_STEER_H

#include "bpf/abi/net_index.h"
#include "bpf/abi/schedule.h"
#include "bpf/abi/selection.h"

#define FL_NET_MAX_FAULTS 32 /* one bit each in the index; exemptions take bits, too */
#define FL_NET_MAX_EXEMPTIONS 8
#define FL_NET_MAX_RULES 64  /* addresses, networks and port ranges of all filters of a target */

/* Where the programs are asked. */
enum fl_net_hook {
	FL_HOOK_EGRESS = 0,  /* a packet leaves the cgroup: to a band of the tree, or refused */
	FL_HOOK_INGRESS = 1, /* a packet has reached a socket of the cgroup: dropped */
	FL_HOOK_SHAPE = 2,   /* a packet is about to enter the target's network namespace: to a band of the tree */
	FL_HOOK_CONNECT = 3, /* connect(): an error */
	FL_NET_HOOKS = 4,
};

struct fl_net_table {
	struct fl_net_index index;
	__u32 hooks[FL_NET_HOOKS]; /* the faults asked at each hook */
	__u32 exemptions;          /* bits that are no faults: what they match is spared by the others */
	__u32 spared[FL_NET_MAX_FAULTS]; /* by an exemption's bit: the faults' bits that it switches off */
	__u8 fault[FL_NET_MAX_FAULTS];   /* by bit, lowest first in precedence: which of `faults` */
};

struct fl_net_fault {
	struct fl_schedule schedule;
	struct fl_selection selection;
	__u64 seed;
	__u64 share;             /* concerned when the dice are below; 2^32: always */
	__u32 share_of_connections;
	__u32 priority;          /* for skb->priority: qdisc handle | band; 0: refuse the packet */
	__u32 error;             /* of connect() */
	__u32 pad;
	__u64 seen;              /* numbers the draws of share */
	__u64 memory;            /* of the selection; also the count of packets concerned: memory / FL_SELECTION_ONE */
	__u64 injected;
};

/* A network namespace's door that FL_HOOK_SHAPE stands at: the device outside, and how it names the inside. */
#define FL_NET_MAX_DOORS 16
struct fl_net_door {
	__u32 ifindex; /* 0: not in use */
	__s32 nsid;    /* of the target's namespace, as seen from the device's; -1: the same */
	__u32 entry;   /* of the detour around the device; 0: there is none */
	__u32 exit;
};

struct fl_net_target {
	__u64 cgroup_id;
	__u32 cgroup_level; /* depth below the root of the hierarchy, which is 0 */
	__u32 pad;
};

/* Uniform over [0, 2^32), the same for all packets of a connection in both directions. */
static inline __u32 fl_connection_dice(__u64 seed, const struct fl_net_packet *packet)
{
	__u64 x = seed;
	int i;

	for (i = 0; i < 4; i++)
		x = fl_dice(x ^ packet->peer[i], packet->local[i]) ^ x << 32;
	return fl_dice(x ^ ((__u64)packet->peer_port << 16 | packet->local_port), packet->protocol);
}

#endif
