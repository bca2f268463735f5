// SPDX-License-Identifier: Apache-2.0
// The passive registry: the loops of this process and the named sources of statistics. Observers
// read it; nothing here knows them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle {

class EventLoop;

// Calls fn with each live loop, under a lock that keeps them alive. Reading a loop's tasks is only
// safe on its own thread: post there with call_soon_threadsafe.
void for_each_loop(const std::function<void(EventLoop&)>& fn);

// Coroutine frames and tasks that exist, over all threads that have ended or stand still: what a
// test compares before and after.
//
//   long before = live_frames();
//   testing::run(body());
//   EXPECT_EQ(live_frames(), before);
long live_frames() noexcept;

// One number with its name: {"queued", 12}.
using Statistic = std::pair<std::string, double>;

// Keeps a source registered; destroying it waits for a read in progress.
class SourceRegistration {
  public:
    SourceRegistration() noexcept = default;
    ~SourceRegistration();
    SourceRegistration(SourceRegistration&&) noexcept;
    SourceRegistration& operator=(SourceRegistration&&) noexcept;

    struct Entry;

  private:
    friend SourceRegistration register_source(std::string, std::function<std::vector<Statistic>()>);
    std::shared_ptr<Entry> entry_;
};

// Publishes statistics under a name ("pool images"). `read` is called from any thread and must not
// block.
//
//   auto registration = register_source("pool images", [this] { return numbers(); });
[[nodiscard]] SourceRegistration register_source(std::string name,
                                                 std::function<std::vector<Statistic>()> read);

// Every source's name and current numbers, in order of registration.
std::vector<std::pair<std::string, std::vector<Statistic>>> read_sources();

}  // namespace coracle
