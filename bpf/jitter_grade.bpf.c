// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Chooses which of sixteen netems a packet of one band waits in: with the probability `keep` the one of the packet
 * before, else that of a table entry drawn anew. Asked by the band's prio qdisc, which holds its lock meanwhile, so
 * the state needs no atomics. Sticky: it belongs to the qdisc and goes with it. Minimum kernel: 5.5.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/dice.h"
#include "bpf/abi/jitter_grade.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct fl_jitter_grades grades;
__u64 packets;
__u32 grade;

SEC("tc")
int fl_jitter_grade(struct __sk_buff *skb)
{
	__u64 n = packets++;
	__u32 entry, found = 0;
	int i;

	if (n == 0 || fl_dice(~grades.seed, n) >= grades.keep) {
		entry = fl_dice(grades.seed, n) % FL_JITTER_ENTRIES;
#pragma unroll
		for (i = 0; i < FL_JITTER_GRADES - 1; i++)
			found += entry >= grades.ends[i];
		grade = found;
	}
	return (int)grade + 1; /* classes count from 1; 0 would leave the choice to the qdisc */
}
