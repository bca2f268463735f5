// SPDX-License-Identifier: Apache-2.0
// Listener: where streams come from.
#pragma once

#include <coracle/core/task.h>
#include <coracle/net/stream.h>

#include <memory>
#include <string>

namespace coracle::net {

// Accepts the streams that peers open: TcpListener, or testing::MemoryListener.
//
//   while (auto stream = co_await listener.accept()) group.create_task(serve, std::move(stream));
class Listener {
  public:
    Listener() noexcept = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    // Closes it. No task may be waiting in accept().
    virtual ~Listener() = default;

    // The next stream; null once the listener is closed. One task at a time. Cancelling loses no
    // connection. Throws net::Error only when the listener itself is broken: what goes wrong with
    // one connection, or with too many, is dealt with inside.
    virtual Task<std::unique_ptr<Stream>> accept() = 0;

    // Where peers reach it: "127.0.0.1:8080".
    virtual std::string address() const = 0;

    // Refuses new connections and ends the accept() in progress. Streams live on. Harmless twice.
    virtual void close() noexcept = 0;
};

}  // namespace coracle::net
