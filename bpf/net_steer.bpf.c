// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decides, for every packet that leaves the target's cgroup, whether a shaping fault concerns it, and if so sends it
 * to that fault's band by setting skb->priority; the prio qdisc of the tree fa17: honours it. Never drops anything
 * itself. Auto: gone with the link. Minimum kernel: 5.12 (cgroup link; atomics that fetch).
 */
#include "bpf/lib/packet.bpf.h"

#include "bpf/abi/dice.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct fl_net_table tables[2];
struct fl_net_fault faults[FL_NET_MAX_FAULTS];
__u32 active_table;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} evaluated SEC(".maps");

static __always_inline int rule_matches(const struct fl_net_rule *rule, const struct packet *pkt)
{
	if (rule->family != FL_NET_ANY) {
		if (rule->family != pkt->family)
			return 0;
		if ((pkt->daddr[0] & rule->mask[0]) != rule->addr[0])
			return 0;
		if (rule->family == FL_NET_IPV6 && (((pkt->daddr[1] & rule->mask[1]) ^ rule->addr[1]) |
						    ((pkt->daddr[2] & rule->mask[2]) ^ rule->addr[2]) |
						    ((pkt->daddr[3] & rule->mask[3]) ^ rule->addr[3])))
			return 0;
	}
	if (rule->protocol != FL_NET_PROTO_ANY && rule->protocol != pkt->protocol)
		return 0;
	if (rule->by_port && (!pkt->has_port || pkt->dport < rule->port_first || pkt->dport > rule->port_last))
		return 0;
	return 1;
}

/* Not inlined: the verifier then checks one rule, not sixty-four in a row. Returns the fault's index or -1. */
__noinline int rule_fault(struct packet *pkt, __u32 table, __u32 i)
{
	const struct fl_net_rule *rule;

	if (!pkt)
		return -1;
	rule = &tables[table & 1].rules[i & (FL_NET_MAX_RULES - 1)];
	return rule_matches(rule, pkt) ? rule->fault : -1;
}

static __always_inline void count_evaluated(void)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&evaluated, &zero);

	/* Atomic although per CPU: a softirq may run this program in the middle of the task's own run. */
	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("cgroup_skb/egress")
int fl_net_steer(struct __sk_buff *skb)
{
	struct packet pkt = {};
	struct fl_net_fault *fault;
	__u64 now, draw;
	__u32 table, count, i;
	int index = -1;

	count_evaluated();
	table = *(volatile __u32 *)&active_table & 1;
	count = tables[table].count;
	if (!count || packet_parse(skb, &pkt))
		return 1;

	now = bpf_ktime_get_ns();
	for (i = 0; i < FL_NET_MAX_RULES; i++) {
		if (i >= count)
			return 1;
		index = rule_fault(&pkt, table, i);
		/* A rule whose fault is over is as if it were not there: a later one may still match. */
		if (index >= 0 && now < *(volatile __u64 *)&faults[index & (FL_NET_MAX_FAULTS - 1)].deadline_ns)
			break;
		index = -1;
	}
	if (index < 0)
		return 1;

	fault = &faults[index & (FL_NET_MAX_FAULTS - 1)];
	draw = __sync_fetch_and_add(&fault->matched, 1);
	if (fl_dice(fault->seed, draw) < fault->threshold) {
		skb->priority = fault->priority;
		__sync_fetch_and_add(&fault->injected, 1);
	}
	return 1;
}
