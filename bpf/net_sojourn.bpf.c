// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Measures how long packets stay in the shaping bands of the trees fa17:, so that a delay can be reported as it was
 * achieved, not as it was asked for. Only looks; other packets cost a load and a comparison where a qdisc handles
 * them. Auto: gone with the links. Minimum kernel: 5.15 (qdisc_enqueue tracepoint) with BTF.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi/net_sojourn.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Only the fields in use; CO-RE finds them in the running kernel. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
typedef struct {
	struct net *net;
} possible_net_t;
struct net_device {
	possible_net_t nd_net;
};
struct sk_buff {
	struct sk_buff *next;
	struct net_device *dev;
	__u32 priority;
	char cb[48]; /* in a qdisc it begins with the length that counts there, link headers included */
};
struct qdisc_skb_head {
	__u32 qlen;
};
struct Qdisc {
	__u32 handle;
	struct qdisc_skb_head q;
};
struct netdev_queue;
#pragma clang attribute pop

#define MAX_CHAIN 32

/* When a tree last let nothing out, ns: because what waited might not leave yet, or because nothing waited. */
struct stop {
	__u64 held_ns;
	__u64 empty_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);   /* address of the sk_buff */
	__type(value, __u64); /* when it was enqueued, ns */
} waiting SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* address of a tree's root qdisc */
	__type(value, struct stop);
} stops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_SOJOURN_SLOTS);
	__type(key, struct fl_sojourn_key);
	__type(value, __u32);
} slot_of SEC(".maps");

struct fl_sojourn_slot slots[FL_SOJOURN_SLOTS];

static __always_inline struct fl_sojourn_slot *slot_of_packet(struct sk_buff *skb)
{
	struct fl_sojourn_key band = {};
	__u32 *index;

	band.netns = skb->dev->nd_net.net->ns.inum;
	band.band = skb->priority & 0xffff;
	index = bpf_map_lookup_elem(&slot_of, &band);
	return index ? &slots[*index & (FL_SOJOURN_SLOTS - 1)] : NULL;
}

SEC("tp_btf/qdisc_enqueue")
int BPF_PROG(fl_enqueue, struct Qdisc *qdisc, const struct netdev_queue *txq, struct sk_buff *skb)
{
	struct fl_sojourn_slot *slot;
	__u64 key = (__u64)skb;
	__u64 now;

	if ((skb->priority & 0xffff0000u) != FL_TREE_MAJOR)
		return 0;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&waiting, &key, &now, BPF_ANY);
	slot = slot_of_packet(skb);
	if (slot)
		slot->last_enqueue_ns = now;
	return 0;
}

/*
 * What a token bucket saved while nothing waited leaves at once and tells nothing of its rate. So counting begins
 * behind a packet that was held back and left alone: then nothing was saved. It goes on, whatever is late and caught
 * up with, while packets wait without a gap.
 */
static __always_inline void measure_pace(struct fl_sojourn_slot *slot, const __u64 *since, const struct stop *stop,
					 __u32 bytes, __u64 now)
{
	__u64 last = slot->last_dequeue_ns;
	__u64 came = since ? *since : slot->last_enqueue_ns;
	int held = stop && stop->held_ns > last;
	int waited = came < last;

	/* A token bucket cuts large packets up, and a part of one is not known by its address: it may have been there
	 * before what came last. Where no other band has anything waiting, the tree itself knows. */
	if (!since && slot->alone && stop && stop->empty_ns < last)
		waited = 1;
	slot->paced = waited && (slot->paced || (held && slot->held));
	slot->held = held && (waited || stop->held_ns > came);
	slot->last_dequeue_ns = now;
	if (!slot->paced)
		return;
	__sync_fetch_and_add(&slot->busy_ns, now - last);
	__sync_fetch_and_add(&slot->busy_bytes, bytes);
	__sync_fetch_and_add(&slot->busy_packets, 1);
}

static __always_inline void measure(const struct stop *stop, struct sk_buff *skb, __u64 now)
{
	struct fl_sojourn_slot *slot;
	__u64 key = (__u64)skb;
	__u64 *since;
	__u64 n;

	if ((skb->priority & 0xffff0000u) != FL_TREE_MAJOR)
		return;
	slot = slot_of_packet(skb);
	if (!slot)
		return;
	since = bpf_map_lookup_elem(&waiting, &key);
	measure_pace(slot, since, stop, *(__u32 *)skb->cb, now);
	if (!since)
		return;
	n = __sync_fetch_and_add(&slot->count, 1);
	slot->sample_ns[n & (FL_SOJOURN_SAMPLES - 1)] = now - *since;
	bpf_map_delete_elem(&waiting, &key);
}

/* The kernel takes several packets at once where several are due: they come as a chain. */
SEC("tp_btf/qdisc_dequeue")
int BPF_PROG(fl_dequeue, struct Qdisc *qdisc, const struct netdev_queue *txq, int packets, struct sk_buff *skb)
{
	struct stop *stop, first = {};
	__u64 root = (__u64)qdisc;
	__u64 address = 0;
	__u64 now;
	int i;

	if (qdisc->handle != FL_TREE_MAJOR)
		return 0;
	/* There is no packet where none may leave. Verifiers from 6.5 on, before they knew better of this tracepoint
	 * (6.13, and updates of older ones), take its pointer for never NULL and leave the question out; a number
	 * they do not know. */
	bpf_probe_read_kernel(&address, sizeof(address), &ctx[3]);
	now = bpf_ktime_get_ns();
	stop = bpf_map_lookup_elem(&stops, &root);
	if (!address || !skb) {
		if (!stop)
			stop = &first;
		if (qdisc->q.qlen)
			stop->held_ns = now;
		else
			stop->empty_ns = now;
		if (stop == &first)
			bpf_map_update_elem(&stops, &root, &first, BPF_ANY);
		return 0;
	}
	for (i = 0; i < MAX_CHAIN && i < packets && skb; i++) {
		measure(stop, skb, now);
		skb = skb->next;
	}
	return 0;
}
