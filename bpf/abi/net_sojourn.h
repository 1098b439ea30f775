/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What net_sojourn.bpf.c and the agent share: how long packets really stayed in a shaping band, sampled in the
 * kernel between qdisc_enqueue and qdisc_dequeue.
 */
#ifndef FAULTLINE_ABI_NET_SOJOURN_H
#define FAULTLINE_ABI_NET_SOJOURN_H

#include <linux/types.h>

#define FL_SOJOURN_SLOTS 64
#define FL_SOJOURN_SAMPLES 2048 /* kept per slot: the newest; a power of two */
#define FL_TREE_MAJOR 0xfa170000u /* the reserved qdisc handle fa17: */

/* A band of the tree in one network namespace (its inode number). */
struct fl_sojourn_key {
	__u32 netns;
	__u32 band; /* minor of the class, 2..16 */
};

struct fl_sojourn_slot {
	__u64 count; /* packets measured so far; sample i is at i % FL_SOJOURN_SAMPLES */
	/* From one packet's leaving to the next one's, where that had been waiting all the time and a token bucket had
	 * nothing saved. */
	__u64 busy_ns;
	__u64 busy_bytes;
	__u64 busy_packets;
	__u64 last_enqueue_ns;
	__u64 last_dequeue_ns;
	__u32 paced; /* the last packet was counted as busy */
	__u32 held;  /* the last packet had to wait until its tree let it out */
	__u32 alone; /* set by the agent: no other band of the network namespace is measured */
	__u32 unused;
	__u64 sample_ns[FL_SOJOURN_SAMPLES];
};

#endif
