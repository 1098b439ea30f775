#include "agent/target/name_query.h"

#include <ares.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <type_traits>

namespace faultline {
namespace {

constexpr int kTimeoutMs = 500;  // of the first round over the servers; doubled for the second
constexpr int kTries = 2;
constexpr int kWakeUpMs = 50;  // how late a stop may be seen

struct Answer {
  bool done = false;
  int status = ARES_ECANCELLED;
  std::vector<IpNetwork> addresses;
};

void on_answer(void* arg, int status, int, ares_addrinfo* info) {
  auto* answer = static_cast<Answer*>(arg);
  answer->done = true;
  answer->status = status;
  for (const ares_addrinfo_node* node = info ? info->nodes : nullptr; node; node = node->ai_next) {
    if (node->ai_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(node->ai_addr);
      answer->addresses.push_back(make_ip_network(&v4->sin_addr, false, 32));
    } else if (node->ai_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(node->ai_addr);
      answer->addresses.push_back(make_ip_network(&v6->sin6_addr, true, 128));
    }
  }
  ares_freeaddrinfo(info);
}

struct ChannelDestroy {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<std::remove_pointer_t<ares_channel>, ChannelDestroy>;

Status ares_error(int status, std::string_view what) {
  return make_error(StatusCode::kInternal, "{}: {}", what, ares_strerror(status));
}

StatusOr<Channel> open_channel(const ResolverSettings& settings) {
  static std::once_flag once;
  static int library = ARES_SUCCESS;
  std::call_once(once, [] { library = ares_library_init(ARES_LIB_INIT_ALL); });
  if (library != ARES_SUCCESS) return ares_error(library, "c-ares");

  // Everything is set, so that nothing is taken from this machine's own files, environment or host name.
  std::vector<const char*> domains;
  for (const std::string& domain : settings.search) domains.push_back(domain.c_str());
  char lookups[] = "b", no_file[] = "/dev/null";
  ares_options options{};
  options.flags = ARES_FLAG_NOALIASES;
  options.timeout = kTimeoutMs;
  options.tries = kTries;
  options.ndots = settings.ndots;
  options.domains = const_cast<char**>(domains.data());
  options.ndomains = static_cast<int>(domains.size());
  options.lookups = lookups;
  options.resolvconf_path = no_file;
  ares_channel raw = nullptr;
  const int made = ares_init_options(&raw, &options,
                                     ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                                         ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF);
  if (made != ARES_SUCCESS) return ares_error(made, "c-ares");
  Channel channel(raw);
  const std::string servers = fmt::format("{}", fmt::join(settings.nameservers, ","));
  if (int e = ares_set_servers_csv(raw, servers.c_str()); e != ARES_SUCCESS) return ares_error(e, servers);
  return channel;
}

void run(ares_channel channel, Answer& answer, MonoTime give_up, const std::stop_token& stop) {
  while (!answer.done) {
    if (stop.stop_requested() || mono_now() >= give_up) {
      ares_cancel(channel);  // calls on_answer, with what has come so far
      return;
    }
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int wanted = ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
    std::array<pollfd, ARES_GETSOCK_MAXNUM> polls{};
    nfds_t count = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      const bool read = ARES_GETSOCK_READABLE(wanted, i), write = ARES_GETSOCK_WRITABLE(wanted, i);
      if (!read && !write) continue;
      polls[count++] = {.fd = sockets[static_cast<std::size_t>(i)],
                        .events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0)),
                        .revents = 0};
    }
    if (::poll(polls.data(), count, kWakeUpMs) <= 0) count = 0;
    for (nfds_t i = 0; i < count; ++i) {
      if (polls[i].revents == 0) continue;
      ares_process_fd(channel, polls[i].events & POLLIN ? polls[i].fd : ARES_SOCKET_BAD,
                      polls[i].events & POLLOUT ? polls[i].fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // time-outs
  }
}

}  // namespace

StatusOr<std::vector<IpNetwork>> query_addresses(const Netns& netns, const ResolverSettings& settings,
                                                 const std::string& name, Nanos patience,
                                                 std::stop_token stop) {
  const MonoTime give_up = mono_now() + patience;
  Answer answer;
  FL_RETURN_IF_ERROR(run_in_netns(netns, [&]() -> Status {
    auto channel = open_channel(settings);
    if (!channel.ok()) return channel.status();
    const ares_addrinfo_hints hints{
        .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = 0};
    ares_getaddrinfo(channel->get(), name.c_str(), nullptr, &hints, on_answer, &answer);
    run(channel->get(), answer, give_up, stop);
    return ok_status();
  }));
  if (!answer.addresses.empty()) return std::move(answer.addresses);
  const std::string asked = fmt::format("{}", fmt::join(settings.nameservers, ", "));
  if (stop.stop_requested()) return make_error(StatusCode::kCancelled, "looking up \"{}\" was stopped", name);
  if (answer.status == ARES_ENOTFOUND || answer.status == ARES_ENODATA || answer.status == ARES_SUCCESS) {
    return make_error(StatusCode::kNotFound, "host name \"{}\" has no address (asked {})", name, asked);
  }
  const char* why = answer.status == ARES_ECANCELLED || answer.status == ARES_ETIMEOUT
                        ? "no answer in time"
                        : ares_strerror(answer.status);
  return make_error(StatusCode::kUnavailable, "host name \"{}\" could not be looked up: {} (asked {})", name,
                    why, asked);
}

}  // namespace faultline
