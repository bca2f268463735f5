// SPDX-License-Identifier: Apache-2.0
// The bare socket calls that the floors share.
#pragma once

#include <cstdint>
#include <string_view>

namespace bench {

// A non-blocking socket that listens on 127.0.0.1; ends the program when the port is taken.
int listen_on(std::uint16_t port);

// The next connection, non-blocking and without Nagle's delay; -1 when there is none now.
int accept_from(int listener);

// Sends all of it on a non-blocking socket. Blocks the thread while the peer takes nothing, which
// no peer of ours does. False when the connection is broken.
bool send_all(int fd, std::string_view bytes);

}  // namespace bench
