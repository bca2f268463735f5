// SPDX-License-Identifier: Apache-2.0
// Limits and deadlines of a server's connections. All are on by default.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/http/h1/limits.h>

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace coracle::wire {

struct ServerOptions {
    // Request line, field lines, their count, trailers: 414, 431, 400 (see H1Limits).
    http::H1Limits limits = {};

    // From the first byte of a request to the end of its head. Over: 408, closed.
    Duration header_timeout = 10s;
    // Between requests, and before the first. Over: closed without a word.
    Duration idle_timeout = 75s;
    // A body may take body_grace and then has to keep up with rate_min in total. Slower: 408,
    // closed.
    Duration body_grace = 10s;
    // The same for a peer that reads its response. Slower: reset.
    Duration write_grace = 30s;
    std::size_t rate_min = 1024;  // bytes per second

    // Bytes of unread request body that are read and dropped after a response so that the
    // connection can go on. More: it is closed, after linger_timeout at most, so that the peer can
    // still read the response.
    std::size_t discard_bytes_max = 256 * 1024;
    Duration linger_timeout = 2s;

    // Exchange::write(), and the next pipelined request, wait while more than this is unsent.
    std::size_t write_high_water = 64 * 1024;
    // Bytes read ahead of the request in progress, which bounds how much pipelining costs: nothing
    // more is read from the socket until those are answered.
    std::size_t read_ahead_max = 16 * 1024;

    // Pipelined requests answered in one go; then the loop's other tasks have their turn.
    std::size_t pipelined_max = 16;

    // Open connections per loop. One more is accepted and closed at once, and counted. Zero means
    // 80 % of the process's limit of open files, which run_app() divides among its workers.
    std::size_t connections_max = 0;

    // The Server field; empty sends none. Must outlive the server: a literal.
    std::string_view server_name = "Coracle";
};
static_assert(std::is_trivially_copyable_v<ServerOptions>);

}  // namespace coracle::wire
