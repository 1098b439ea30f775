/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The dice of probabilistic faults: draw number `n` of a fault with this seed, a pure function, so that the same
 * packets in the same order meet the same fate on any CPU and in any run. SplitMix64 (Steele, Lea, Flood 2014).
 */
#ifndef FAULTLINE_ABI_DICE_H
#define FAULTLINE_ABI_DICE_H

#include <linux/types.h>

/* Uniform over [0, 2^32). */
static inline __u32 fl_dice(__u64 seed, __u64 n)
{
	__u64 x = seed + (n + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	return (__u32)(x >> 32);
}

#endif
