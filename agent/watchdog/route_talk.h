// Route netlink by hand, in static buffers: no memory is asked for, which is why this is not agent/kernel's.
// One caller at a time. Source of the format: rtnetlink(7).
#pragma once

#include <linux/rtnetlink.h>

#include <cstddef>

#include "common/unique_fd.h"

namespace faultline {

// Moves the calling thread into the namespace; needs CAP_SYS_ADMIN there. Positive errno.
int open_route_socket(int netns_fd, UniqueFd& socket) noexcept;

// Sends the request, marked with its own type as its number, and reads the answer to its end; waits for it 2
// s at most. `sees` gets each message of the answer; null: there is none but its end. Positive errno.
int route_request(int socket, nlmsghdr& request, void (*sees)(const nlmsghdr& answer, void* context),
                  void* context) noexcept;

// Null: the message, with a header of its kind that is so long, has no such attribute.
const rtattr* attribute_of(const nlmsghdr& message, std::size_t header_size, unsigned short type) noexcept;
bool is_text(const rtattr* attribute, const char* text) noexcept;

}  // namespace faultline
