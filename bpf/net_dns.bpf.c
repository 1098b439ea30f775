// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends what the target's cgroup, in one network namespace, has to say to port 53 of its name servers to the agent's
 * responder there instead, and lets the target believe that the answers come from the servers. Redirects only while a
 * fault is in force; answers that are still under way are always given back their names. Auto: gone with the links.
 * Minimum kernel: 5.14 (getpeername hooks and namespace cookies in 5.8; the agent's side of the cookie in 5.14).
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi/net_dns.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define DNS_PORT bpf_htons(53)
#define LOOPBACK4 bpf_htonl(0x7f000001)
#define MAPPED bpf_htonl(0x0000ffff)

const volatile __u64 netns_cookie;
const volatile struct fl_dns_ports ports[FL_DNS_FAMILIES];

struct fl_schedule schedules[FL_DNS_FAULTS];
struct fl_dns_server servers[FL_DNS_FAMILIES][FL_DNS_SERVERS];
__u64 left_alone; /* queries that a fault in force could not redirect */

static __always_inline int any_in_force(void)
{
	__u64 now = bpf_ktime_get_ns();
	int i;

#pragma unroll
	for (i = 0; i < FL_DNS_FAULTS; i++) {
		if (fl_in_force(&schedules[i], now))
			return 1;
	}
	return 0;
}

static __always_inline int is_server(const struct fl_dns_server *server, const __u32 *addr)
{
	return server->addr[0] == addr[0] && server->addr[1] == addr[1] && server->addr[2] == addr[2] &&
	       server->addr[3] == addr[3];
}

/* The responder's port for this server, 0 when there is none. Two processors may give a new server a number each. */
static __always_inline __u16 port_for(int family, const __u32 *addr, __u32 protocol)
{
	struct fl_dns_server *server;
	int i;

#pragma unroll
	for (i = 0; i < FL_DNS_SERVERS; i++) {
		server = &servers[family][i];
		if (__sync_val_compare_and_swap(&server->state, FL_DNS_SERVER_FREE, FL_DNS_SERVER_TAKEN) ==
		    FL_DNS_SERVER_FREE) {
			server->addr[0] = addr[0];
			server->addr[1] = addr[1];
			server->addr[2] = addr[2];
			server->addr[3] = addr[3];
			__sync_lock_test_and_set(&server->state, FL_DNS_SERVER_KNOWN);
		}
		if (*(volatile __u32 *)&server->state == FL_DNS_SERVER_KNOWN && is_server(server, addr))
			return protocol == IPPROTO_TCP ? ports[family].tcp[i] : ports[family].udp[i];
	}
	return 0;
}

/* Whether the target is asking a name server, here and now. */
static __always_inline int concerned(struct bpf_sock_addr *ctx)
{
	if ((__u16)ctx->user_port != DNS_PORT)
		return 0;
	if (ctx->protocol != IPPROTO_UDP && ctx->protocol != IPPROTO_TCP)
		return 0;
	return bpf_get_netns_cookie(ctx) == netns_cookie && any_in_force();
}

/* A socket that is bound to a device cannot reach the loopback address. */
static __always_inline __u16 redirect_to(struct bpf_sock_addr *ctx, int family, const __u32 *addr)
{
	struct bpf_sock *sk = ctx->sk;
	__u16 port = 0;

	if (!sk || !sk->bound_dev_if)
		port = port_for(family, addr, ctx->protocol);
	if (!port)
		__sync_fetch_and_add(&left_alone, 1);
	return port;
}

static __always_inline int redirect4(struct bpf_sock_addr *ctx)
{
	__u32 addr[4] = {};
	__u16 port;

	if (!concerned(ctx))
		return 1;
	addr[0] = ctx->user_ip4;
	port = redirect_to(ctx, FL_DNS_IPV4, addr);
	if (port) {
		ctx->user_ip4 = LOOPBACK4;
		ctx->user_port = port;
	}
	return 1;
}

static __always_inline int redirect6(struct bpf_sock_addr *ctx)
{
	__u32 addr[4];
	__u16 port;

	if (!concerned(ctx))
		return 1;
	addr[0] = ctx->user_ip6[0];
	addr[1] = ctx->user_ip6[1];
	addr[2] = ctx->user_ip6[2];
	addr[3] = ctx->user_ip6[3];
	if (!addr[0] && !addr[1] && addr[2] == MAPPED) {
		addr[0] = addr[3];
		addr[2] = 0;
		addr[3] = 0;
		port = redirect_to(ctx, FL_DNS_IPV4, addr);
		if (port) {
			ctx->user_ip6[3] = LOOPBACK4;
			ctx->user_port = port;
		}
		return 1;
	}
	/* Link-local: the kernel has chosen the device already. */
	if ((addr[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000)) {
		__sync_fetch_and_add(&left_alone, 1);
		return 1;
	}
	port = redirect_to(ctx, FL_DNS_IPV6, addr);
	if (port) {
		ctx->user_ip6[0] = 0;
		ctx->user_ip6[1] = 0;
		ctx->user_ip6[2] = 0;
		ctx->user_ip6[3] = bpf_htonl(1);
		ctx->user_port = port;
	}
	return 1;
}

/* The number of the server that this responder's port stands for; -1: no port of the responder's. */
static __always_inline int server_behind(struct bpf_sock_addr *ctx, int family)
{
	__u16 port = (__u16)ctx->user_port;
	int tcp = ctx->protocol == IPPROTO_TCP;
	int i;

	if (!port || bpf_get_netns_cookie(ctx) != netns_cookie)
		return -1;
#pragma unroll
	for (i = 0; i < FL_DNS_SERVERS; i++) {
		if (port == (tcp ? ports[family].tcp[i] : ports[family].udp[i]))
			return servers[family][i].state == FL_DNS_SERVER_KNOWN ? i : -1;
	}
	return -1;
}

static __always_inline int give_back4(struct bpf_sock_addr *ctx)
{
	int i;

	if (ctx->user_ip4 != LOOPBACK4)
		return 1;
	i = server_behind(ctx, FL_DNS_IPV4);
	if (i >= 0) {
		ctx->user_ip4 = servers[FL_DNS_IPV4][i & (FL_DNS_SERVERS - 1)].addr[0];
		ctx->user_port = DNS_PORT;
	}
	return 1;
}

static __always_inline int give_back6(struct bpf_sock_addr *ctx)
{
	const struct fl_dns_server *server;
	int i;

	if (ctx->user_ip6[0] || ctx->user_ip6[1])
		return 1;
	if (ctx->user_ip6[2] == MAPPED && ctx->user_ip6[3] == LOOPBACK4) {
		i = server_behind(ctx, FL_DNS_IPV4);
		if (i >= 0) {
			ctx->user_ip6[3] = servers[FL_DNS_IPV4][i & (FL_DNS_SERVERS - 1)].addr[0];
			ctx->user_port = DNS_PORT;
			/* Or the compiler makes one store of the two branches' last, at an offset that it computes. */
			barrier();
		}
	} else if (!ctx->user_ip6[2] && ctx->user_ip6[3] == bpf_htonl(1)) {
		i = server_behind(ctx, FL_DNS_IPV6);
		if (i >= 0) {
			server = &servers[FL_DNS_IPV6][i & (FL_DNS_SERVERS - 1)];
			ctx->user_ip6[0] = server->addr[0];
			ctx->user_ip6[1] = server->addr[1];
			ctx->user_ip6[2] = server->addr[2];
			ctx->user_ip6[3] = server->addr[3];
			ctx->user_port = DNS_PORT;
		}
	}
	return 1;
}

SEC("cgroup/connect4")
int fl_dns_connect4(struct bpf_sock_addr *ctx)
{
	return redirect4(ctx);
}

SEC("cgroup/sendmsg4")
int fl_dns_sendmsg4(struct bpf_sock_addr *ctx)
{
	return redirect4(ctx);
}

SEC("cgroup/connect6")
int fl_dns_connect6(struct bpf_sock_addr *ctx)
{
	return redirect6(ctx);
}

SEC("cgroup/sendmsg6")
int fl_dns_sendmsg6(struct bpf_sock_addr *ctx)
{
	return redirect6(ctx);
}

SEC("cgroup/recvmsg4")
int fl_dns_recvmsg4(struct bpf_sock_addr *ctx)
{
	return give_back4(ctx);
}

SEC("cgroup/getpeername4")
int fl_dns_getpeername4(struct bpf_sock_addr *ctx)
{
	return give_back4(ctx);
}

SEC("cgroup/recvmsg6")
int fl_dns_recvmsg6(struct bpf_sock_addr *ctx)
{
	return give_back6(ctx);
}

SEC("cgroup/getpeername6")
int fl_dns_getpeername6(struct bpf_sock_addr *ctx)
{
	return give_back6(ctx);
}
