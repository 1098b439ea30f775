/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads an IPv4 or IPv6 packet's addresses, protocol and ports, and says which end is the target's. */
#ifndef FAULTLINE_PACKET_BPF_H
#define FAULTLINE_PACKET_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/net_index.h"

#define IP_OFFSET_MASK 0x1fff
#define IPV6_EXT_MAX 6
/* Greater than any offset that the headers walked over can add up to; the verifier wants a bound. */
#define PACKET_OFFSET_MASK 0x3fff

#define NEXTHDR_HOP 0
#define NEXTHDR_ROUTING 43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_DEST 60

struct ipv4_head {
	__u8 version_ihl;
	__u8 tos;
	__u16 tot_len;
	__u16 id;
	__u16 frag_off;
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__u32 saddr;
	__u32 daddr;
};

struct ipv6_head {
	__u32 flow;
	__u16 payload_len;
	__u8 nexthdr;
	__u8 hop_limit;
	__u32 saddr[4];
	__u32 daddr[4];
};

/* What of the headers is known between reading the addresses and reading the ports. */
struct packet_place {
	__u32 transport; /* offset of the transport header, or of the first IPv6 extension */
	__u8 next;       /* protocol of what is there */
	__u8 later_fragment;
};

/* `size` bytes at `off`: in place where the kernel has them at hand, else copied into `room`. */
static __always_inline const void *packet_bytes(struct __sk_buff *skb, __u32 off, void *room, __u32 size)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;

	if (data + off + size <= end)
		return data + off;
	return bpf_skb_load_bytes(skb, off, room, size) ? NULL : room;
}

/*
 * The addresses. `off` is where the network header begins; `leaving`: the sender is the target. `pkt` must come
 * zeroed. -1 when it is neither IPv4 nor IPv6, or too short.
 */
static __always_inline int packet_addresses(struct __sk_buff *skb, __u32 off, int leaving, struct fl_net_packet *pkt,
					    struct packet_place *place)
{
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct ipv4_head room;
		const struct ipv4_head *ip = packet_bytes(skb, off, &room, sizeof(room));

		if (!ip)
			return -1;
		pkt->family = FL_NET_IPV4;
		pkt->peer[0] = leaving ? ip->daddr : ip->saddr;
		pkt->local[0] = leaving ? ip->saddr : ip->daddr;
		place->transport = off + (ip->version_ihl & 0x0f) * 4;
		place->next = ip->protocol;
		place->later_fragment = !!(ip->frag_off & bpf_htons(IP_OFFSET_MASK));
		return 0;
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6_head room;
		const struct ipv6_head *ip = packet_bytes(skb, off, &room, sizeof(room));

		if (!ip)
			return -1;
		pkt->family = FL_NET_IPV6;
		__builtin_memcpy(pkt->peer, leaving ? ip->daddr : ip->saddr, sizeof(pkt->peer));
		__builtin_memcpy(pkt->local, leaving ? ip->saddr : ip->daddr, sizeof(pkt->local));
		place->transport = off + sizeof(*ip);
		place->next = ip->nexthdr;
		place->later_fragment = 0;
		return 0;
	}
	return -1;
}

/* Walks over IPv6 extension headers to the transport header. -1: too many, or cut off. */
static __always_inline int packet_skip_extensions(struct __sk_buff *skb, struct packet_place *place)
{
	int i;

	for (i = 0; i < IPV6_EXT_MAX; i++) {
		__u8 ext[4]; /* next header, length, fragment offset */

		if (place->next != NEXTHDR_HOP && place->next != NEXTHDR_ROUTING && place->next != NEXTHDR_DEST &&
		    place->next != NEXTHDR_FRAGMENT)
			return 0;
		if (bpf_skb_load_bytes(skb, place->transport, ext, sizeof(ext)))
			return -1;
		if (place->next == NEXTHDR_FRAGMENT) {
			place->transport += 8;
			if (ext[2] | (ext[3] & 0xf8))
				place->later_fragment = 1;
		} else {
			place->transport += (ext[1] + 1) * 8;
		}
		place->next = ext[0];
	}
	return 0;
}

static __always_inline __u8 protocol_of(__u8 number)
{
	switch (number) {
	case IPPROTO_TCP:
		return FL_NET_PROTO_TCP;
	case IPPROTO_UDP:
		return FL_NET_PROTO_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return FL_NET_PROTO_ICMP;
	default:
		return FL_NET_PROTO_ANY;
	}
}

/* The protocol, and the ports where there are any. */
static __always_inline void packet_transport(struct __sk_buff *skb, int leaving, struct fl_net_packet *pkt,
					     struct packet_place *place)
{
	__u16 room[2]; /* source, destination */
	const __u16 *ports;

	/* TCP and UDP first: nearly every packet is one of them, and has no extensions. */
	if (pkt->family == FL_NET_IPV6 && place->next != IPPROTO_TCP && place->next != IPPROTO_UDP &&
	    packet_skip_extensions(skb, place))
		return;
	pkt->protocol = protocol_of(place->next);
	if (pkt->protocol != FL_NET_PROTO_TCP && pkt->protocol != FL_NET_PROTO_UDP)
		return;
	if (place->later_fragment)
		return;
	ports = packet_bytes(skb, place->transport & PACKET_OFFSET_MASK, room, sizeof(room));
	if (!ports)
		return;
	pkt->peer_port = bpf_ntohs(ports[leaving ? 1 : 0]);
	pkt->local_port = bpf_ntohs(ports[leaving ? 0 : 1]);
	pkt->has_port = 1;
}

#endif
