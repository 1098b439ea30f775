// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a filter on the tree fa17: holds instead of the program that decides: it only jumps there. The kernel empties
 * an array of programs as soon as no process has the array open any more, so the filter, which outlives its maker,
 * does nothing from then on. Minimum kernel: 4.13.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} net_ingress_jump SEC(".maps");

SEC("tc")
int fl_net_ingress_stub(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &net_ingress_jump, 0);
	return 0; /* no program there: the packet is not ours */
}
