/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads the receiver's address, protocol and port from an IPv4 or IPv6 packet as cgroup_skb programs see it. */
#ifndef FAULTLINE_PACKET_BPF_H
#define FAULTLINE_PACKET_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/net_steer.h"

#define IP_OFFSET_MASK 0x1fff
#define IPV6_EXT_MAX 6

#define NEXTHDR_HOP 0
#define NEXTHDR_ROUTING 43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_DEST 60

struct packet {
	__u32 daddr[4]; /* network byte order; IPv4 in [0] */
	__u16 dport;    /* host byte order */
	__u8 family;
	__u8 protocol; /* enum fl_net_protocol; ANY when it is none of the named */
	__u8 has_port; /* 0 for fragments after the first, too */
};

/* The first bytes of the headers, up to the destination port of an option-less IPv4 packet. */
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

static __always_inline void packet_transport(struct __sk_buff *skb, struct packet *pkt, __u8 ipproto, __u32 off,
					     __u8 first_fragment)
{
	__u16 dport;

	switch (ipproto) {
	case IPPROTO_TCP:
		pkt->protocol = FL_NET_PROTO_TCP;
		break;
	case IPPROTO_UDP:
		pkt->protocol = FL_NET_PROTO_UDP;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		pkt->protocol = FL_NET_PROTO_ICMP;
		return;
	default:
		return;
	}
	if (first_fragment && !bpf_skb_load_bytes(skb, off + 2, &dport, sizeof(dport))) {
		pkt->dport = bpf_ntohs(dport);
		pkt->has_port = 1;
	}
}

static __always_inline int packet_ipv4(struct __sk_buff *skb, struct packet *pkt)
{
	struct ipv4_head ip;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return -1;
	pkt->family = FL_NET_IPV4;
	pkt->daddr[0] = ip.daddr;
	packet_transport(skb, pkt, ip.protocol, (ip.version_ihl & 0x0f) * 4,
			 !(ip.frag_off & bpf_htons(IP_OFFSET_MASK)));
	return 0;
}

static __always_inline int packet_ipv6(struct __sk_buff *skb, struct packet *pkt)
{
	struct ipv6_head ip;
	__u32 off = sizeof(ip);
	__u8 first_fragment = 1;
	__u8 next;
	int i;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return -1;
	pkt->family = FL_NET_IPV6;
	__builtin_memcpy(pkt->daddr, ip.daddr, sizeof(pkt->daddr));
	next = ip.nexthdr;
	for (i = 0; i < IPV6_EXT_MAX; i++) {
		__u8 ext[4]; /* next header, length, fragment offset */

		if (next != NEXTHDR_HOP && next != NEXTHDR_ROUTING && next != NEXTHDR_DEST && next != NEXTHDR_FRAGMENT)
			break;
		if (bpf_skb_load_bytes(skb, off, ext, sizeof(ext)))
			return 0;
		if (next == NEXTHDR_FRAGMENT) {
			off += 8;
			if (ext[2] | (ext[3] & 0xf8))
				first_fragment = 0;
		} else {
			off += (ext[1] + 1) * 8;
		}
		next = ext[0];
	}
	packet_transport(skb, pkt, next, off, first_fragment);
	return 0;
}

/* 0, or -1 when the packet is neither IPv4 nor IPv6 or too short to say. `pkt` must come zeroed. */
static __always_inline int packet_parse(struct __sk_buff *skb, struct packet *pkt)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return packet_ipv4(skb, pkt);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return packet_ipv6(skb, pkt);
	return -1;
}

#endif
