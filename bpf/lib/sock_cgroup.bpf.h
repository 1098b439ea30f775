/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a socket belongs to a cgroup or one below it, for programs that have no helper for it (tc). Reads the
 * kernel's own structures; CO-RE finds them. Minimum kernel: 6.1 (cgroup.ancestors).
 */
#ifndef FAULTLINE_SOCK_CGROUP_BPF_H
#define FAULTLINE_SOCK_CGROUP_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node {
	__u64 id;
};
struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[];
};
struct sock_cgroup_data {
	struct cgroup *cgroup;
};
struct sock {
	struct sock_cgroup_data sk_cgrp_data;
};
#pragma clang attribute pop

/* The verifier allows no arithmetic on a socket; what has been through a map is a number. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sock_address SEC(".maps");

static __always_inline int sock_below_cgroup(struct bpf_sock *sk, __u64 cgroup_id, __u32 level)
{
	__u32 zero = 0;
	__u64 *address = bpf_map_lookup_elem(&sock_address, &zero);
	struct cgroup *cgroup, *ancestor = NULL;

	if (!address)
		return 0;
	*(volatile __u64 *)address = (__u64)(unsigned long)sk;
	cgroup = BPF_CORE_READ((struct sock *)*(volatile __u64 *)address, sk_cgrp_data.cgroup);
	if (!cgroup || BPF_CORE_READ(cgroup, level) < (int)level)
		return 0;
	bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]);
	return ancestor && BPF_CORE_READ(ancestor, kn, id) == cgroup_id;
}

#endif
