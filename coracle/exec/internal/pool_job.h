// SPDX-License-Identifier: Apache-2.0
// A function given to a pool, with its arguments and its outcome; and the wait for it.
#pragma once

#include <coracle/base/clock.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/context.h>
#include <coracle/core/park.h>
#include <coracle/core/task.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

namespace coracle {

class EventLoop;

namespace internal {

class ThreadPool;

// One job. Owned by whoever waits for it, who lets it live until it was posted back or withdrawn.
class PoolJob : public ListLink<> {
  public:
    // Where it is; changes under the pool's lock only.
    enum class Stage : std::uint8_t {
        created,
        waiting,  // for a place in the queue
        queued,
        running,
        ended,  // `done` has been, or is about to be, posted
    };

    PoolJob(const PoolJob&) = delete;
    PoolJob& operator=(const PoolJob&) = delete;
    virtual ~PoolJob();

    // On a worker: calls the function, with the context it was submitted in, keeps its outcome, and
    // destroys function and arguments.
    void run_on_worker() noexcept;

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_frame(block, size); }
    static void* operator new(std::size_t size, std::align_val_t alignment) {
        return ::operator new(size, alignment);
    }
    static void operator delete(void* block, std::size_t size,
                                std::align_val_t alignment) noexcept {
        ::operator delete(block, size, alignment);
    }

    // Set before it is submitted: what to run where once it has ended.
    EventLoop* loop = nullptr;
    Runnable* done = nullptr;
    // The submitting task's, which the call may change.
    Context context;

    std::exception_ptr error;
    TimePoint since{};  // when it was submitted, then when it began
    Stage stage = Stage::created;
    // With a state only if the function takes a token.
    std::stop_source stop{std::nostopstate};

  protected:
    PoolJob() noexcept = default;

  private:
    virtual void call() = 0;
    virtual void drop_call() noexcept = 0;
};

// A job whose function returns an R.
template <class R>
class PoolJobOf : public PoolJob {
  public:
    // The result, moved out, or the exception. Once, when it has ended.
    R take() {
        if (error) std::rethrow_exception(std::move(error));
        if constexpr (std::is_reference_v<R>) {
            return static_cast<R>(*result_);
        } else if constexpr (!std::is_void_v<R>) {
            return std::move(*result_);
        }
    }

  protected:
    template <class Call>
    void keep(Call&& call) {
        if constexpr (std::is_void_v<R>) {
            call();
        } else if constexpr (std::is_reference_v<R>) {
            R&& result = call();
            result_ = std::addressof(result);
        } else {
            result_.emplace(call());
        }
    }

  private:
    struct Nothing {};
    using Kept = std::conditional_t<
        std::is_void_v<R>, Nothing,
        std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*,
                           std::optional<std::conditional_t<std::is_void_v<R>, int, R>>>>;
    Kept result_{};
};

// Awaits a job: everything that does not depend on the result.
class JobWait : public Park, private Runnable {
  public:
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) {
        return checkpoint(frame) && begin();
    }

    bool withdraw() noexcept override;
    std::string describe() const override;

  protected:
    JobWait(std::shared_ptr<ThreadPool> pool, std::unique_ptr<PoolJob> job) noexcept;
    ~JobWait();

    PoolJob& job() const noexcept { return *job_; }

  private:
    bool begin();
    void run() override;

    std::shared_ptr<ThreadPool> pool_;
    std::unique_ptr<PoolJob> job_;
};

}  // namespace internal
}  // namespace coracle
