// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decides, for every packet and connection attempt of the target, which fault concerns it, and does what the fault
 * says: sends the packet to a band of a tree fa17: (where a qdisc shapes it), drops it, refuses it, or lets
 * connect() fail. Auto: gone with the links, and fl_shape with the stub that jumps to it (net_ingress_stub.bpf.c).
 * Minimum kernel: 6.1 (cgroup.ancestors; bpf_set_retval is of 5.18), with BTF; fl_redirect is used from 6.6 on.
 */
#include "bpf/lib/packet.bpf.h"
#include "bpf/lib/sock_cgroup.bpf.h"

#include "bpf/abi/net_steer.h"

#define FL_TCX_NEXT -1 /* TCX_NEXT of linux/bpf.h: ask the next program */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct fl_net_table tables[2];
struct fl_net_fault faults[FL_NET_MAX_FAULTS];
struct fl_net_door doors[FL_NET_MAX_DOORS];
struct fl_net_target target;
__u32 active_table;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FL_NET_HOOKS);
	__type(key, __u32);
	__type(value, __u64);
} evaluated SEC(".maps");

static __always_inline void count_evaluated(__u32 hook)
{
	__u64 *n = bpf_map_lookup_elem(&evaluated, &hook);

	/* Atomic although per CPU: a softirq may run this program in the middle of the task's own run. */
	if (n)
		__sync_fetch_and_add(n, 1);
}

/* Read once for a packet: sets of one table mean nothing in the other. */
static __always_inline __u32 table_in_force(void)
{
	return *(volatile __u32 *)&active_table & 1;
}

const __u8 places[32] = { 0,  1,  28, 2,  29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4,  8,
			  31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6,  11, 5,  10, 9 };

/* Number of the lowest bit of a set that is not empty (de Bruijn). */
static __always_inline __u32 lowest(__u32 set)
{
	return places[((set & -set) * 0x077cb531u) >> 27];
}

/*
 * What follows is not inlined where it stands in a loop or behind several hooks: the kernel then verifies it once,
 * on its own, which takes a fifth of the time.
 */

/* The fault may be for some of the packets or connections only. */
__noinline int in_share(struct fl_net_packet *pkt, __u32 index)
{
	struct fl_net_fault *fault = &faults[index & (FL_NET_MAX_FAULTS - 1)];

	if (!pkt)
		return 0;
	if (fault->share_of_connections)
		return fl_connection_dice(fault->seed, pkt) < fault->share;
	return fl_dice(~fault->seed, __sync_fetch_and_add(&fault->seen, 1)) < fault->share;
}

/* The memory that this packet found in a fault with bursts, whose state must change as a whole. */
__noinline __u64 burst_memory(__u32 index)
{
	struct fl_net_fault *fault = &faults[index & (FL_NET_MAX_FAULTS - 1)];
	__u64 memory, next;
	int i;

	/* Others may change it at the same time; whoever comes first has the number. Unrolled: 6.1 takes no loop
	 * whose end falls through to its beginning. */
#pragma unroll
	for (i = 0; i < 8; i++) {
		memory = *(volatile __u64 *)&fault->memory;
		next = fl_selection_next(&fault->selection, fault->seed, memory);
		if (__sync_val_compare_and_swap(&fault->memory, memory, next) == memory)
			break;
	}
	return memory;
}

/* One more packet for the fault: whether it is hit. */
static __always_inline int hit(struct fl_net_fault *fault, __u32 index)
{
	__u64 memory;

	if (fault->selection.how == FL_SELECT_BURSTS)
		memory = burst_memory(index);
	else
		memory = __sync_fetch_and_add(&fault->memory, FL_SELECTION_ONE);
	if (!fl_selected(&fault->selection, fault->seed, memory))
		return 0;
	__sync_fetch_and_add(&fault->injected, 1);
	return 1;
}

/* Without the faults that an exemption keeps away from the packet. */
static __always_inline __u32 without_spared(const struct fl_net_table *table, __u32 set)
{
	__u32 exempt = set & table->exemptions;
	int i;

	set &= ~exempt;
	for (i = 0; i < FL_NET_MAX_EXEMPTIONS && exempt; i++) {
		set &= ~table->spared[lowest(exempt) & (FL_NET_MAX_FAULTS - 1)];
		exempt &= exempt - 1;
	}
	return set;
}

/* The index of the fault that hits, or -1. `set`: those of the table whose filters the packet passes. */
__noinline int decide(struct fl_net_packet *pkt, __u32 in_force, __u32 set)
{
	struct fl_net_table *table = &tables[in_force & 1];
	struct fl_net_fault *fault;
	__u32 index = FL_NET_MAX_FAULTS;
	__u32 at;
	__u64 now;
	int i;

	if (!pkt)
		return -1;
	set = without_spared(table, set);
	if (!set)
		return -1;
	now = bpf_ktime_get_ns();
	for (i = 0; i < FL_NET_MAX_FAULTS && set; i++) {
		at = table->fault[lowest(set) & (FL_NET_MAX_FAULTS - 1)] & (FL_NET_MAX_FAULTS - 1);
		fault = &faults[at];
		/* A fault that is not in force, or not for this packet, is as if it were not there. */
		if (fl_in_force(&fault->schedule, now) && (fault->share > 0xffffffffull || in_share(pkt, at))) {
			index = at;
			break;
		}
		set &= set - 1;
	}
	if (index >= FL_NET_MAX_FAULTS)
		return -1;
	return hit(&faults[index], index) ? (int)index : -1;
}

static __always_inline struct fl_net_fault *fault_of_packet(struct __sk_buff *skb, __u32 hook, __u32 off,
							     int leaving)
{
	__u32 in_force = table_in_force();
	struct fl_net_table *table = &tables[in_force];
	struct fl_net_packet pkt = {};
	struct packet_place place = {};
	__u32 set;
	int index;

	count_evaluated(hook);
	set = table->hooks[hook];
	if (!set || packet_addresses(skb, off, leaving, &pkt, &place))
		return NULL;
	set &= fl_net_by_peer(&table->index, &pkt);
	if (!(set & ~table->exemptions))
		return NULL;
	packet_transport(skb, leaving, &pkt, &place);
	set &= fl_net_by_transport(&table->index, &pkt);
	if (!(set & ~table->exemptions))
		return NULL;
	index = decide(&pkt, in_force, set);
	return index < 0 ? NULL : &faults[index & (FL_NET_MAX_FAULTS - 1)];
}

SEC("cgroup_skb/egress")
int fl_egress(struct __sk_buff *skb)
{
	struct fl_net_fault *fault = fault_of_packet(skb, FL_HOOK_EGRESS, 0, 1);

	if (!fault)
		return 1;
	if (!fault->priority)
		return 0; /* the sender sees EPERM */
	skb->priority = fault->priority;
	return 1;
}

SEC("cgroup_skb/ingress")
int fl_ingress(struct __sk_buff *skb)
{
	return fault_of_packet(skb, FL_HOOK_INGRESS, 0, 0) ? 0 : 1;
}

/* Whether the packet is for a socket of the target: several containers may share the network namespace. */
static __always_inline int for_target(struct __sk_buff *skb, const struct fl_net_door *door,
				      const struct fl_net_packet *pkt)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u32 size;
	int ours;

	if (!pkt->has_port)
		return 1; /* no socket to ask */
	if (pkt->family == FL_NET_IPV4) {
		size = sizeof(tuple.ipv4);
		tuple.ipv4.saddr = pkt->peer[0];
		tuple.ipv4.daddr = pkt->local[0];
		tuple.ipv4.sport = bpf_htons(pkt->peer_port);
		tuple.ipv4.dport = bpf_htons(pkt->local_port);
	} else {
		size = sizeof(tuple.ipv6);
		__builtin_memcpy(tuple.ipv6.saddr, pkt->peer, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, pkt->local, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = bpf_htons(pkt->peer_port);
		tuple.ipv6.dport = bpf_htons(pkt->local_port);
	}
	if (pkt->protocol == FL_NET_PROTO_TCP)
		sk = bpf_sk_lookup_tcp(skb, &tuple, size, (long)door->nsid, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &tuple, size, (long)door->nsid, 0);
	if (!sk)
		return 0;
	ours = sock_below_cgroup(sk, target.cgroup_id, target.cgroup_level);
	bpf_sk_release(sk);
	return ours;
}

static __always_inline const struct fl_net_door *door_of(const struct __sk_buff *skb)
{
	const struct fl_net_door *door = NULL;
	__u32 i;

	for (i = 0; i < FL_NET_MAX_DOORS; i++) {
		if (doors[i].ifindex == skb->ifindex)
			door = &doors[i];
	}
	return door;
}

/* The class of the tree for the packet, 0: none. */
__noinline __u32 class_of(struct __sk_buff *skb)
{
	__u32 in_force = table_in_force();
	struct fl_net_table *table = &tables[in_force];
	const struct fl_net_door *door;
	struct fl_net_packet pkt = {};
	struct packet_place place = {};
	__u32 set = table->hooks[FL_HOOK_SHAPE];
	int index;

	count_evaluated(FL_HOOK_SHAPE);
	if (!set || packet_addresses(skb, ETH_HLEN, 0, &pkt, &place))
		return 0;
	set &= fl_net_by_peer(&table->index, &pkt);
	if (!(set & ~table->exemptions))
		return 0;
	packet_transport(skb, 0, &pkt, &place);
	set &= fl_net_by_transport(&table->index, &pkt);
	if (!(set & ~table->exemptions))
		return 0;
	door = door_of(skb);
	if (!door || !for_target(skb, door, &pkt))
		return 0;
	index = decide(&pkt, in_force, set);
	if (index < 0)
		return 0;
	/* The delay meter knows a steered packet by its priority. It ends where the packet enters the veth. */
	skb->priority = faults[index & (FL_NET_MAX_FAULTS - 1)].priority;
	return skb->priority;
}

/* As a filter of a tree on the device itself. */
SEC("tc")
int fl_shape(struct __sk_buff *skb)
{
	return class_of(skb);
}

/* As a tcx link on a device with a detour, which leads the packet past here once more. */
SEC("tc")
int fl_redirect(struct __sk_buff *skb)
{
	const struct fl_net_door *door = door_of(skb);

	if (!door || skb->ingress_ifindex == door->exit || !class_of(skb))
		return FL_TCX_NEXT;
	return bpf_redirect(door->entry, 0);
}

static __always_inline int attempt(struct bpf_sock_addr *ctx, struct fl_net_packet *pkt)
{
	__u32 in_force = table_in_force();
	struct fl_net_table *table = &tables[in_force];
	__u32 set = table->hooks[FL_HOOK_CONNECT];
	int index;

	count_evaluated(FL_HOOK_CONNECT);
	if (!set)
		return 1;
	pkt->protocol = protocol_of(ctx->protocol);
	pkt->peer_port = bpf_ntohs(ctx->user_port);
	pkt->has_port = 1;
	set &= fl_net_by_peer(&table->index, pkt) & fl_net_by_transport(&table->index, pkt);
	if (!(set & ~table->exemptions))
		return 1;
	index = decide(pkt, in_force, set);
	if (index < 0)
		return 1;
	bpf_set_retval(-(int)faults[index & (FL_NET_MAX_FAULTS - 1)].error);
	return 0;
}

SEC("cgroup/connect4")
int fl_connect4(struct bpf_sock_addr *ctx)
{
	struct fl_net_packet pkt = { .family = FL_NET_IPV4 };

	pkt.peer[0] = ctx->user_ip4;
	return attempt(ctx, &pkt);
}

SEC("cgroup/connect6")
int fl_connect6(struct bpf_sock_addr *ctx)
{
	struct fl_net_packet pkt = { .family = FL_NET_IPV6 };

	pkt.peer[0] = ctx->user_ip6[0];
	pkt.peer[1] = ctx->user_ip6[1];
	pkt.peer[2] = ctx->user_ip6[2];
	pkt.peer[3] = ctx->user_ip6[3];
	/* ::ffff:a.b.c.d is IPv4 spoken through an IPv6 socket. */
	if (!pkt.peer[0] && !pkt.peer[1] && pkt.peer[2] == bpf_htonl(0xffff)) {
		pkt.family = FL_NET_IPV4;
		pkt.peer[0] = pkt.peer[3];
		pkt.peer[1] = pkt.peer[2] = pkt.peer[3] = 0;
	}
	return attempt(ctx, &pkt);
}
