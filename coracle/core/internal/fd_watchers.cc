// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/fd_watchers.h>

#include <coracle/base/error.h>
#include <coracle/core/io_backend.h>
#include <coracle/core/loop.h>
#include <coracle/core/sleep.h>

#include <poll.h>

#include <optional>
#include <string>
#include <utility>

namespace coracle::internal {

// One descriptor. Kept alive by its tasks, which end a little after they were cancelled.
class FdWatchers::Watch {
  public:
    // The function may remove or replace itself while it runs, so whoever calls it keeps it.
    struct Call {
        MoveFunction<void()> fn;
        bool is_wanted = true;
    };
    struct Side {
        std::shared_ptr<Call> call;  // null when nobody watches this direction
        std::optional<TaskHandle<void>> task;
    };

    explicit Watch(int fd) noexcept : descriptor(fd) {}
    Side& side(Readiness::Direction direction) noexcept {
        return direction == Readiness::Direction::readable ? reader : writer;
    }

    // Calls the function as long as the kernel says ready: once per turn, however little of what
    // there is the function takes.
    static Task<void> run(std::shared_ptr<Watch> self, Readiness::Direction direction) {
        bool reads = direction == Readiness::Direction::readable;
        if (!self->side(direction).call) co_return;  // removed before this began
        try {
            self->descriptor.attach();
        } catch (const Error&) {
            EventLoop::current().call_exception_handler(
                {"a descriptor cannot be watched", std::current_exception()});
            co_return;
        }
        for (;;) {
            if (reads) {
                co_await self->descriptor.wait_readable();
            } else {
                co_await self->descriptor.wait_writable();
            }
            pollfd entry{self->descriptor.fd(), static_cast<short>(reads ? POLLIN : POLLOUT), 0};
            if (::poll(&entry, 1, 0) <= 0) {
                if (reads) {
                    self->descriptor.clear_readable();
                } else {
                    self->descriptor.clear_writable();
                }
                continue;
            }
            auto call = self->side(direction).call;
            EventLoop::current().call_soon([call] {
                if (call->is_wanted) call->fn();
            });
            co_await sleep(0s);
        }
    }

    Descriptor descriptor;
    Side reader;
    Side writer;
};

FdWatchers::FdWatchers(EventLoop& loop) : loop_(loop) {}
FdWatchers::~FdWatchers() = default;

void FdWatchers::add(int fd, Readiness::Direction direction, MoveFunction<void()> fn) {
    auto& watch = watches_[fd];
    if (!watch) watch = std::make_shared<Watch>(fd);
    Watch::Side& side = watch->side(direction);
    auto call = std::make_shared<Watch::Call>();
    call->fn = std::move(fn);
    if (side.call) {
        side.call->is_wanted = false;
        side.call = std::move(call);
        return;
    }
    if (EventLoop::current_or_null() == &loop_) {
        try {
            watch->descriptor.attach();
        } catch (...) {
            if (!watch->reader.call && !watch->writer.call) watches_.erase(fd);
            throw;
        }
    }
    side.call = std::move(call);
    side.task.emplace(loop_.create_task(Watch::run, watch, direction));
    bool reads = direction == Readiness::Direction::readable;
    side.task->set_name((reads ? "reader of descriptor " : "writer of descriptor ") +
                        std::to_string(fd));
}

bool FdWatchers::remove(int fd, Readiness::Direction direction) {
    auto found = watches_.find(fd);
    if (found == watches_.end()) return false;
    Watch& watch = *found->second;
    Watch::Side& side = watch.side(direction);
    if (!side.call) return false;
    side.call->is_wanted = false;
    side.call.reset();
    side.task->cancel("the callback was removed");
    side.task.reset();
    if (!watch.reader.call && !watch.writer.call) {
        watch.descriptor.detach();  // its owner may close it now
        watches_.erase(found);
    }
    return true;
}

}  // namespace coracle::internal
