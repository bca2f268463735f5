// SPDX-License-Identifier: Apache-2.0
// Rows of core's leaf operations: locks, queues, channels, events, futures, timers.
#include "matrix.h"

#include <coracle/core/as_completed.h>
#include <coracle/core/barrier.h>
#include <coracle/core/capacity_limiter.h>
#include <coracle/core/checkpoint.h>
#include <coracle/core/condition.h>
#include <coracle/core/future.h>
#include <coracle/core/lifo_queue.h>
#include <coracle/core/lock.h>
#include <coracle/core/loop_channel.h>
#include <coracle/core/memory_channel.h>
#include <coracle/core/priority_queue.h>
#include <coracle/core/queue.h>
#include <coracle/core/readiness.h>
#include <coracle/core/semaphore.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

namespace coracle::matrix {
namespace {

class EventWait final : public Subject {
  public:
    Task<void> await() override { co_await event_.wait(); }
    void complete() override { event_.set(); }
    void check(int) override { require(event_.waiting() == 0, "a waiter was left"); }

  private:
    Event event_;
};

// ---- permits

class LockLock final : public Subject {
  public:
    Task<void> set_up(TaskGroup&) override {
        held_ = lock_.lock_nowait();
        co_return;
    }
    Task<void> await() override {
        auto guard = co_await lock_.lock();
        require(lock_.is_held_by(guard), "the guard does not hold the lock");
    }
    void complete() override { held_.reset(); }
    void check(int) override {
        complete();
        require(!lock_.locked(), "the lock was lost");
        require(lock_.statistics().waiting == 0, "a waiter was left");
    }

  private:
    Lock lock_;
    std::optional<Lock::Guard> held_;
};

class SemaphoreAcquire final : public Subject {
  public:
    Task<void> await() override { auto permit = co_await semaphore_.acquire(); }
    void complete() override {
        semaphore_.release();
        ++released_;
    }
    void check(int) override {
        require(semaphore_.available() == released_, "a permit was lost or made");
        require(semaphore_.statistics().waiting == 0, "a waiter was left");
    }

  private:
    Semaphore semaphore_{0};
    std::size_t released_ = 0;
};

class LimiterAcquire final : public Subject {
  public:
    Task<void> set_up(TaskGroup&) override {
        held_ = limiter_.acquire_nowait();
        co_return;
    }
    Task<void> await() override { auto token = co_await limiter_.acquire(); }
    void complete() override { held_.reset(); }
    void check(int) override {
        complete();
        require(limiter_.borrowed() == 0 && limiter_.available() == 1, "a token was lost or made");
        require(limiter_.statistics().waiting == 0, "a waiter was left");
    }

  private:
    CapacityLimiter limiter_{1};
    std::optional<CapacityLimiter::Token> held_;
};

// ---- conditions

class ConditionLock final : public Subject {
  public:
    Task<void> set_up(TaskGroup&) override { held_.emplace(co_await condition_.lock()); }
    Task<void> await() override { auto guard = co_await condition_.lock(); }
    void complete() override { held_.reset(); }
    void check(int) override {
        complete();
        require(!condition_.statistics().lock.locked, "the lock was lost");
    }

  private:
    Condition condition_;
    std::optional<Lock::Guard> held_;
};

// However wait() ends, the lock is held.
class HeldAtExit {
  public:
    explicit HeldAtExit(Lock& lock, Lock::Guard& guard) noexcept : lock_(lock), guard_(guard) {}
    ~HeldAtExit() { require(lock_.is_held_by(guard_), "wait() ended without the lock"); }
    HeldAtExit(const HeldAtExit&) = delete;
    HeldAtExit& operator=(const HeldAtExit&) = delete;

  private:
    Lock& lock_;
    Lock::Guard& guard_;
};

class ConditionWait final : public Subject {
  public:
    explicit ConditionWait(bool with_predicate) noexcept : with_predicate_(with_predicate) {}
    Task<void> await() override {
        auto guard = lock_.lock_nowait();
        HeldAtExit held(lock_, *guard);
        if (with_predicate_) {
            co_await condition_.wait_for(*guard, [&] { return stock_ > 0; });
            --stock_;
        } else {
            co_await condition_.wait(*guard);
        }
    }
    void complete() override {
        auto guard = lock_.lock_nowait();
        require(guard.has_value(), "the lock is not free while wait() waits");
        ++stock_;
        condition_.notify();
    }
    void check(int) override {
        require(!lock_.locked(), "the lock was lost");
        require(condition_.statistics().waiting == 0, "a waiter was left");
    }

  private:
    Lock lock_;
    Condition condition_{lock_};
    bool with_predicate_;
    int stock_ = 0;
};

class BarrierWait final : public Subject {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        helpers_ = &helpers;
        co_return;
    }
    Task<void> await() override { co_await barrier_.wait(); }
    Task<void> completing() override {
        if (barrier_.waiting() == 0) {
            helpers_->create_task(&BarrierWait::arrive, this);
        } else {
            co_await arrive();
        }
    }
    void check(int returned) override {
        require(barrier_.waiting() == 0, "a waiter was left");
        require(arrived_ == returned, "the parties of a round did not all pass");
    }

  private:
    Task<void> arrive() {
        co_await barrier_.wait();
        ++arrived_;
    }

    Barrier barrier_{2};
    TaskGroup* helpers_ = nullptr;
    int arrived_ = 0;
};

// ---- queues and channels: every item that was accepted is received once, or is still there

class Items {
  public:
    void accepted(int item) { require(in_.insert(item).second, "an item was accepted twice"); }
    void received(int item) {
        require(in_.count(item) == 1, "an item came that nobody had put");
        require(out_.insert(item).second, "an item came twice");
    }
    void check_all_received() {
        require(in_ == out_, std::to_string(in_.size()) + " items were accepted, " +
                                 std::to_string(out_.size()) + " came out");
    }

  private:
    std::set<int> in_, out_;
};

template <class Q>
class QueueGet final : public Subject {
  public:
    Task<void> await() override {
        auto item = co_await queue_.get();
        if (item) items_.received(*item);
    }
    void complete() override {
        items_.accepted(++last_);
        require(queue_.put_nowait(last_), "the queue is full");
    }
    void check(int) override {
        while (auto item = queue_.get_nowait()) items_.received(*item);
        items_.check_all_received();
    }

  private:
    Q queue_{8};
    Items items_;
    int last_ = 0;
};

template <class Q, bool emplaces>
class QueuePut final : public Subject {
  public:
    Task<void> set_up(TaskGroup&) override {
        items_.accepted(0);
        queue_.put_nowait(0);
        co_return;
    }
    Task<void> await() override {
        int item = ++last_;
        if constexpr (emplaces) {
            co_await queue_.emplace(item);
        } else {
            co_await queue_.put(item);
        }
        items_.accepted(item);
    }
    void complete() override { out_.push_back(queue_.get_nowait()); }
    void check(int) override {
        while (auto item = queue_.get_nowait()) out_.push_back(item);
        for (auto& item : out_) {
            if (item) items_.received(*item);
        }
        items_.check_all_received();
    }

  private:
    Q queue_{1};
    Items items_;
    std::vector<std::optional<int>> out_;
    int last_ = 0;
};

template <class Q>
class QueueJoin final : public Subject {
  public:
    Task<void> set_up(TaskGroup&) override {
        queue_.put_nowait(1);
        queue_.get_nowait();
        co_return;
    }
    Task<void> await() override { co_await queue_.join(); }
    void complete() override {
        if (queue_.unfinished() > 0) queue_.task_done();
    }

  private:
    Q queue_{1};
};

template <class Q>
void add_queue(Matrix& matrix, const std::string& name) {
    matrix.add<QueueGet<Q>>(name + "::get()");
    matrix.add<QueuePut<Q, false>>(name + "::put(item)");
    matrix.add<QueuePut<Q, true>>(name + "::emplace(arguments...)");
    matrix.add<QueueJoin<Q>>(name + "::join()");
}

class ChannelReceive final : public Subject {
  public:
    explicit ChannelReceive(std::size_t capacity) : channel_(open_memory_channel<int>(capacity)) {}
    Task<void> await() override {
        auto item = co_await channel_.receiver.receive();
        if (item) items_.received(*item);
    }
    void complete() override {
        items_.accepted(++last_);
        require(channel_.sender.send_nowait(last_), "the channel is full");
    }
    void check(int) override {
        while (auto item = channel_.receiver.receive_nowait()) items_.received(*item);
        items_.check_all_received();
        require(channel_.sender.statistics().receiving == 0, "a waiter was left");
    }

  private:
    MemoryChannel<int> channel_;
    Items items_;
    int last_ = 0;
};

class ChannelSend final : public Subject {
  public:
    explicit ChannelSend(std::size_t capacity) : channel_(open_memory_channel<int>(capacity)) {}
    Task<void> set_up(TaskGroup&) override {
        if (channel_.sender.send_nowait(0)) items_.accepted(0);
        co_return;
    }
    Task<void> await() override {
        int item = ++last_;
        co_await channel_.sender.send(item);
        items_.accepted(item);
    }
    void complete() override { out_.push_back(channel_.receiver.receive_nowait()); }
    void check(int) override {
        while (auto item = channel_.receiver.receive_nowait()) out_.push_back(item);
        for (auto& item : out_) {
            if (item) items_.received(*item);
        }
        items_.check_all_received();
        require(channel_.sender.statistics().sending == 0, "a waiter was left");
    }

  private:
    MemoryChannel<int> channel_;
    Items items_;
    std::vector<std::optional<int>> out_;
    int last_ = 0;
};

class LoopChannelReceive final : public Subject {
  public:
    Task<void> await() override {
        auto item = co_await channel_.receive();
        if (item) items_.received(*item);
    }
    void complete() override {
        items_.accepted(++last_);
        require(channel_.send_nowait(last_), "the channel is full");
    }
    void check(int) override {
        while (auto item = channel_.receive_nowait()) items_.received(*item);
        items_.check_all_received();
    }

  private:
    LoopChannel<int> channel_{8};
    Items items_;
    int last_ = 0;
};

class LoopChannelSend final : public Subject {
  public:
    Task<void> set_up(TaskGroup&) override {
        items_.accepted(0);
        channel_.send_nowait(0);
        co_return;
    }
    Task<void> await() override {
        int item = ++last_;
        co_await channel_.send(item);
        items_.accepted(item);
    }
    void complete() override { out_.push_back(channel_.receive_nowait()); }
    void check(int) override {
        while (auto item = channel_.receive_nowait()) out_.push_back(item);
        for (auto& item : out_) {
            if (item) items_.received(*item);
        }
        items_.check_all_received();
    }

  private:
    LoopChannel<int> channel_{1};
    Items items_;
    std::vector<std::optional<int>> out_;
    int last_ = 0;
};

// ---- time, readiness, futures

class SleepFor final : public Subject {
  public:
    Task<void> await() override { co_await sleep(1h); }
    void complete() override { advance(1h); }
};

// Never waits; what there is to see is that a cancelled scope ends it.
class Checkpoint final : public Subject {
  public:
    Task<void> await() override { co_await checkpoint(); }
};

class ReadinessWait final : public Subject {
  public:
    explicit ReadinessWait(bool writable) noexcept : writable_(writable) {}
    Task<void> set_up(TaskGroup&) override {
        readiness_.clear_readable();
        readiness_.clear_writable();
        co_return;
    }
    Task<void> await() override {
        bool ready = false;
        if (writable_) {
            ready = co_await readiness_.wait_writable();
        } else {
            ready = co_await readiness_.wait_readable();
        }
        require(ready, "the wait was interrupted");
    }
    void complete() override {
        if (writable_) {
            readiness_.set_writable();
        } else {
            readiness_.set_readable();
        }
    }
    void check(int) override {
        require(writable_ == readiness_.is_writable() && writable_ != readiness_.is_readable(),
                "the latch that was set is not the one that is");
    }

  private:
    Readiness readiness_;
    bool writable_;
};

class FutureAwait final : public Subject {
  public:
    Task<void> await() override {
        int value = co_await future_;
        require(value == 7, "another value came");
    }
    void complete() override {
        if (!future_.done()) future_.set_result(7);
    }
    void check(int) override { require(!future_.cancelled(), "the future was cancelled too"); }

  private:
    Future<int> future_ = create_future<int>();
};

// ---- tasks of others: they go on, whatever becomes of who waits

class OtherTask : public WaitsInside {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        other_.emplace(helpers.create_task(&WaitsInside::inner, static_cast<WaitsInside*>(this)));
        co_return;
    }
    void check(int) override {
        event.set();
        require(!other().cancelled(), "the task was cancelled with who waited for it");
    }

  protected:
    TaskHandle<void>& other() { return *other_; }

  private:
    std::optional<TaskHandle<void>> other_;
};

class HandleAwait final : public OtherTask {
  public:
    Task<void> await() override { co_await other(); }
};

class RefAwait final : public OtherTask {
  public:
    Task<void> await() override {
        TaskRef ref(other());
        co_await ref;
    }
};

class WaitHandles final : public OtherTask {
  public:
    Task<void> await() override {
        std::vector<TaskHandle<void>> handles(2, other());
        auto result = co_await coracle::wait(std::move(handles));
        require(result.done.size() == 2 && result.pending.empty(), "a handle was lost");
    }
};

class CompletedNext final : public OtherTask {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        co_await OtherTask::set_up(helpers);
        std::vector<TaskHandle<void>> handles(2, other());
        tasks_.emplace(std::move(handles));
    }
    Task<void> await() override {
        auto task = co_await tasks_->next();
        if (task) ++given_;
    }
    void check(int returned) override {
        OtherTask::check(returned);
        require(given_ == std::min(returned, 2), "a task that had ended was lost");
    }

  private:
    std::optional<AsCompleted<TaskHandle<void>>> tasks_;
    int given_ = 0;
};

}  // namespace

void add_core_rows(Matrix& matrix) {
    matrix.add<EventWait>("Event::wait()");
    matrix.add<LockLock>("Lock::lock()");
    matrix.add<SemaphoreAcquire>("Semaphore::acquire()");
    matrix.add<LimiterAcquire>("CapacityLimiter::acquire()");
    matrix.add<ConditionLock>("Condition::lock()");
    matrix.add<ConditionWait>("Condition::wait(guard)", {.keeps_completion = false}, {}, {}, false);
    matrix.add<ConditionWait>("Condition::wait_for(guard, predicate)", {}, {}, {}, true);
    matrix.add<BarrierWait>("Barrier::wait()");

    add_queue<Queue<int>>(matrix, "Queue");
    add_queue<LifoQueue<int>>(matrix, "LifoQueue");
    add_queue<PriorityQueue<int>>(matrix, "PriorityQueue");
    for (std::size_t capacity : {std::size_t{1}, std::size_t{0}}) {
        std::string variant = capacity == 0 ? "without a buffer" : "";
        if (capacity > 0) {
            matrix.add<ChannelReceive>("MemoryReceiver::receive()", {}, {}, variant, capacity);
        } else {
            // Nothing can be sent before somebody receives.
            matrix.add<ChannelReceive>(
                "MemoryReceiver::receive()", {.keeps_completion = false},
                {{Column::same_instant, "without a buffer an item cannot come before a receiver"}},
                variant, capacity);
        }
        matrix.add<ChannelSend>("MemorySender::send(item)", {.keeps_completion = capacity > 0}, {},
                                variant, capacity);
    }
    matrix.add<LoopChannelReceive>("LoopChannel::receive()");
    matrix.add<LoopChannelSend>("LoopChannel::send(item)");

    matrix.add<SleepFor>("sleep(span)", {.result_wins = false, .keeps_completion = false});
    matrix.add<Checkpoint>("checkpoint()", {}, never_waits("it never waits"));
    matrix.add<ReadinessWait>("Readiness::wait_readable()", {}, {}, {}, false);
    matrix.add<ReadinessWait>("Readiness::wait_writable()", {}, {}, {}, true);
    matrix.add<FutureAwait>("Future::operator co_await()");
    matrix.add<HandleAwait>("TaskHandle::operator co_await()", {.result_wins = false});
    matrix.add<RefAwait>("TaskRef::operator co_await()", {.result_wins = false});
    matrix.add<WaitHandles>("wait(handles, options)", {.result_wins = false});
    matrix.add<CompletedNext>("AsCompleted::next()", {.result_wins = false});
}

}  // namespace coracle::matrix
