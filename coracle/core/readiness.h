// SPDX-License-Identifier: Apache-2.0
// Readiness: whether something can be read or written, and the wait until it can.
#pragma once

#include <coracle/core/park.h>

#include <string>

namespace coracle {

// Two latches, readable and writable, each with at most one waiting task. A socket's are set by the
// loop's backend (see Descriptor), an in-memory stream's by its peer.
//
// The pattern at every leaf: try the call; when it would block, clear the latch and wait.
//
//   for (;;) {
//       if (auto n = stream.read_nowait(into); n.done()) co_return n;
//       if (!co_await stream.readiness().wait_readable()) co_return interrupted;
//   }
//
// The latches start set, so that the first try is made without waiting.
class Readiness {
  public:
    enum class Direction { readable, writable };

    // Whoever sets the latches, if it must hear when one is cleared: a kernel interface that
    // reports states rather than changes is then told to look again.
    class Source {
      public:
        virtual void cleared(Direction direction) noexcept = 0;

      protected:
        ~Source() = default;
    };

    class [[nodiscard]] Wait final : public Park {
      public:
        Wait(Readiness& readiness, Direction direction) noexcept
            : readiness_(readiness), direction_(direction) {}
        ~Wait();

        bool await_ready() const noexcept { return false; }
        template <class P>
        bool await_suspend(std::coroutine_handle<P> frame) noexcept {
            if (!checkpoint(frame)) return false;
            if (readiness_.is_set(direction_)) return ready();
            enqueue();
            return wait();
        }
        // True when ready; false when interrupt() ended the wait.
        bool await_resume() const {
            finish();
            return !interrupted_;
        }

        bool withdraw() noexcept override;
        std::string describe() const override;

      private:
        friend class Readiness;
        void enqueue() noexcept;

        Readiness& readiness_;
        Direction direction_;
        bool interrupted_ = false;
    };

    Readiness() noexcept = default;
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;
    ~Readiness();

    // Returns when the latch is set: true, at once if it already is. False after interrupt().
    // Cancelling loses nothing.
    Wait wait_readable() noexcept { return Wait(*this, Direction::readable); }
    Wait wait_writable() noexcept { return Wait(*this, Direction::writable); }

    bool is_readable() const noexcept { return readable_; }
    bool is_writable() const noexcept { return writable_; }

    // The other side has ended its half, or the connection broke. Said once and for good, by
    // whoever sets the latch: from now on a short read does not mean that nothing follows, see
    // net/tcp.cc.
    void set_ended() noexcept { ended_ = true; }
    bool has_ended() const noexcept { return ended_; }

    // The call said it would block.
    void clear_readable() noexcept {
        readable_ = false;
        if (source_) source_->cleared(Direction::readable);
    }
    void clear_writable() noexcept {
        writable_ = false;
        if (source_) source_->cleared(Direction::writable);
    }

    // Something changed: sets the latch and wakes the waiter.
    void set_readable() noexcept;
    void set_writable() noexcept;

    // Ends the waits in progress with false, without an exception: a deadline of the connection, a
    // shutdown. Does nothing when nobody waits.
    void interrupt() noexcept;

    // Null for none, which is how it starts. Must outlive its time here.
    void set_source(Source* source) noexcept { source_ = source; }

    // A few words for describe(): "tcp 127.0.0.1:8080". Must outlive the waits.
    void set_label(const char* label) noexcept { label_ = label; }

  private:
    bool is_set(Direction direction) const noexcept {
        return direction == Direction::readable ? readable_ : writable_;
    }
    void wake(Wait*& waiter) noexcept;

    Wait* reader_ = nullptr;
    Wait* writer_ = nullptr;
    Source* source_ = nullptr;
    const char* label_ = "stream";
    bool readable_ = true;
    bool writable_ = true;
    bool ended_ = false;
};

}  // namespace coracle
