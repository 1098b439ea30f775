/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What net_dns.bpf.c and the agent share: which name servers a target asks, and since when and until when its queries
 * go to the agent's responder. Each server gets a number of its own, in the order of their first query, and the
 * responder has a pair of ports (UDP and TCP, on the loopback address) for each number, so that it knows from the port
 * which server was meant.
 */
#ifndef FAULTLINE_ABI_NET_DNS_H
#define FAULTLINE_ABI_NET_DNS_H

#include "bpf/abi/schedule.h"

#define FL_DNS_SERVERS 8 /* of each family; queries to others are left alone */
#define FL_DNS_FAULTS 8  /* at once on one target */

enum fl_dns_family {
	FL_DNS_IPV4 = 0, /* IPv4-mapped IPv6 addresses, too */
	FL_DNS_IPV6 = 1,
	FL_DNS_FAMILIES = 2,
};

enum fl_dns_server_state {
	FL_DNS_SERVER_FREE = 0,
	FL_DNS_SERVER_TAKEN = 1, /* its address is being written */
	FL_DNS_SERVER_KNOWN = 2,
};

/* Written by the programs, read by the agent. */
struct fl_dns_server {
	__u32 state;   /* enum fl_dns_server_state */
	__u32 addr[4]; /* network byte order; IPv4 in [0] */
};

/* In network byte order; 0: no responder there. */
struct fl_dns_ports {
	__u16 udp[FL_DNS_SERVERS];
	__u16 tcp[FL_DNS_SERVERS];
};

#endif
