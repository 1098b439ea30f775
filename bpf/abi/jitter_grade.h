/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What jitter_grade.bpf.c is told when it is loaded. */
#ifndef FAULTLINE_ABI_JITTER_GRADE_H
#define FAULTLINE_ABI_JITTER_GRADE_H

#include <linux/types.h>

#define FL_JITTER_GRADES 16
#define FL_JITTER_ENTRIES 4096 /* of the table that the grades are cut from */

struct fl_jitter_grades {
	__u64 seed;
	__u64 keep; /* of 2^32: how likely a packet keeps the last one's grade */
	__u16 ends[FL_JITTER_GRADES]; /* one past each grade's last entry */
};

#endif
