/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which of the packets (queries, attempts) that a fault concerns are hit: a function of the seed and of the packet's
 * number in their sequence, on any CPU and in any run. Shared by BPF programs and the agent.
 */
#ifndef FAULTLINE_ABI_SELECTION_H
#define FAULTLINE_ABI_SELECTION_H

#include <linux/types.h>

#include "bpf/abi/dice.h"

enum fl_selection_how {
	FL_SELECT_BY_CHANCE = 0,
	FL_SELECT_EVERY = 1,
	FL_SELECT_FIRST = 2,
	FL_SELECT_BURSTS = 3, /* Gilbert-Elliott */
};

/* Chances are thresholds that fl_dice() must stay below; 2^32: always. */
struct fl_selection {
	__u64 n;      /* of EVERY and FIRST */
	__u64 chance; /* of BY_CHANCE, and of BURSTS in the bad state */
	__u64 chance_in_good;
	__u64 enter_bad;
	__u64 leave_bad;
	__u32 how; /* enum fl_selection_how */
	__u32 pad;
};

/*
 * What is remembered from one packet to the next, in one word so that it changes as a whole: the number of packets
 * seen, and in the lowest bit whether the state of BURSTS is bad.
 */
#define FL_SELECTION_BAD 1ull
#define FL_SELECTION_ONE 2ull

/* Separate dice for the two draws of BURSTS; the seed is hashed by fl_dice, so any distance will do. */
#define FL_SELECTION_STATE_SEED 0x5bd1e995ull

/* The memory after one more packet. */
static inline __u64 fl_selection_next(const struct fl_selection *selection, __u64 seed, __u64 memory)
{
	__u64 next = memory + FL_SELECTION_ONE;
	__u32 draw;

	if (selection->how != FL_SELECT_BURSTS)
		return next;
	draw = fl_dice(seed ^ FL_SELECTION_STATE_SEED, memory / FL_SELECTION_ONE);
	if (memory & FL_SELECTION_BAD)
		return draw < selection->leave_bad ? next & ~FL_SELECTION_BAD : next;
	return draw < selection->enter_bad ? next | FL_SELECTION_BAD : next;
}

/* Whether the packet that found this memory is hit. */
static inline int fl_selected(const struct fl_selection *selection, __u64 seed, __u64 memory)
{
	__u64 n = memory / FL_SELECTION_ONE;

	switch (selection->how) {
	case FL_SELECT_EVERY:
		return selection->n && (n + 1) % selection->n == 0;
	case FL_SELECT_FIRST:
		return n < selection->n;
	case FL_SELECT_BURSTS:
		return fl_dice(seed, n) <
		       (memory & FL_SELECTION_BAD ? selection->chance : selection->chance_in_good);
	default:
		return fl_dice(seed, n) < selection->chance;
	}
}

#endif
