/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When a fault is in force, by the clock of bpf_ktime_get_ns() (CLOCK_MONOTONIC). Shared by BPF programs and the
 * agent. Every program asks before it does anything, so a fault ends by itself whatever becomes of the agent.
 */
#ifndef FAULTLINE_ABI_SCHEDULE_H
#define FAULTLINE_ABI_SCHEDULE_H

#include <linux/types.h>

struct fl_schedule {
	__u64 start_ns;
	__u64 deadline_ns; /* 0: not in force */
	__u64 on_ns;       /* of each period, from the start on; */
	__u64 period_ns;   /* 0: no pulse, always on */
};

static inline int fl_in_force(const struct fl_schedule *schedule, __u64 now)
{
	/* The agent moves the deadline while this runs. */
	if (now >= *(const volatile __u64 *)&schedule->deadline_ns || now < schedule->start_ns)
		return 0;
	return !schedule->period_ns || (now - schedule->start_ns) % schedule->period_ns < schedule->on_ns;
}

#endif
