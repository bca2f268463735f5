// SPDX-License-Identifier: Apache-2.0
// The callbacks of add_reader() and add_writer(), each a task that waits for its descriptor.
#pragma once

#include <coracle/base/move_function.h>
#include <coracle/core/readiness.h>

#include <map>
#include <memory>

namespace coracle {

class EventLoop;

namespace internal {

class FdWatchers {
  public:
    explicit FdWatchers(EventLoop& loop);
    FdWatchers(const FdWatchers&) = delete;
    FdWatchers& operator=(const FdWatchers&) = delete;
    ~FdWatchers();

    void add(int fd, Readiness::Direction direction, MoveFunction<void()> fn);
    bool remove(int fd, Readiness::Direction direction);

  private:
    class Watch;

    EventLoop& loop_;
    std::map<int, std::shared_ptr<Watch>> watches_;
};

}  // namespace internal
}  // namespace coracle
