// SPDX-License-Identifier: Apache-2.0
// The io_uring backend: one multishot poll per descriptor, which reports each change as a
// completion.
//
// Why no call uses io_uring for the transfer itself is in docs/decisions/0003.
#include <coracle/core/internal/io_uring_backend.h>

#include <coracle/base/error.h>

#if CORACLE_HAS_IO_URING

#include <coracle/base/assert.h>
#include <coracle/base/intrusive_list.h>
#include <coracle/core/internal/loop_bound.h>
#include <coracle/core/internal/wake_event.h>

#include <liburing.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

namespace coracle::internal {
namespace {

// What each kernel can do, best first; one that does not know a flag says EINVAL. With deferred
// task run the kernel does our work when we ask for completions and never interrupts us for it.
constexpr auto setups = std::to_array<unsigned>({
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    0,
});

// The poll of one descriptor. The kernel holds a pointer to it from its submission to its last
// completion, which may come after the descriptor has gone, so it is an object of its own: owned by
// the list of the backend, freed when both have let go of it.
struct Registration : ListLink<> {
    explicit Registration(Descriptor* d, int f) noexcept : descriptor(d), fd(f) {}

    Descriptor* descriptor;  // null once detached
    int fd;
    bool is_armed = false;          // the kernel has it, or will with the next batch
    io_uring_sqe* entry = nullptr;  // ours until `batch` is submitted
    std::uint64_t batch = 0;
    Registration* next_to_arm = nullptr;
};

constexpr std::uint64_t nobody = 0;  // user data of completions that mean nothing
constexpr std::uint64_t woken = 1;   // of the poll on the wake event

std::uint64_t name_of(const Registration& registration) noexcept {
    return reinterpret_cast<std::uintptr_t>(&registration);
}

class Ring {
  public:
    explicit Ring(const IoUringOptions& options) {
        int result = -EINVAL;
        for (std::size_t i = options.first_setup; i < setups.size() && result == -EINVAL; ++i) {
            io_uring_params parameters{};
            parameters.flags = setups[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
            parameters.cq_entries = options.completions;
            result = io_uring_queue_init_params(options.submissions, &ring_, &parameters);
        }
        if (result < 0) throw SystemError("io_uring_setup", -result);
        // Multishot poll has no flag of its own; what came with it in 5.13 has.
        if (!(ring_.features & IORING_FEAT_RSRC_TAGS)) {
            io_uring_queue_exit(&ring_);
            throw SystemError("io_uring: multishot poll", ENOSYS);
        }
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() { io_uring_queue_exit(&ring_); }

    io_uring* operator->() noexcept { return &ring_; }
    const io_uring* operator->() const noexcept { return &ring_; }
    io_uring* get() noexcept { return &ring_; }

  private:
    io_uring ring_;
};

class IoUringBackend final : public IoBackend {
  public:
    explicit IoUringBackend(IoUringOptions options)
        : options_(options), ring_(std::make_unique<Ring>(options)), thread_(this_thread_token()) {
        arm_wake();
    }

    ~IoUringBackend() override {
        ring_.reset();  // the kernel lets go of them
        while (Registration* registration = registrations_.pop_front()) delete registration;
    }

    std::string_view name() const noexcept override { return "io_uring"; }

    // An eventfd that the kernel writes to with each completion, and that each look clears. With it
    // comes another ring, at the next look, without deferred task run: that would leave completions
    // undone until we ask, and its word to an eventfd is lost if another eventfd is the cause.
    int fd() const noexcept override {
        if (!has_host_) {
            has_host_ = true;
            thread_ = nullptr;
            host_event_.set();
        }
        return host_event_.fd();
    }

    // Submitted with the next wait, so many connections cost one system call; what epoll would
    // refuse at once is found out here.
    void attach(Descriptor& descriptor) override {
        struct stat status;
        std::string what = "watch descriptor " + std::to_string(descriptor.fd());
        if (fstat(descriptor.fd(), &status) < 0) throw SystemError(what, errno);
        if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) throw SystemError(what, EPERM);
        come_to_this_thread();
        auto* registration = new Registration(&descriptor, descriptor.fd());
        registrations_.push_back(*registration);
        descriptor.internal_set_registration(registration);
        arm(*registration);
    }

    // The poll holds the open file, so it ends before this returns: whoever closes the descriptor
    // next expects the peer to see it.
    void detach(Descriptor& descriptor) noexcept override {
        auto* registration = static_cast<Registration*>(descriptor.internal_registration());
        registration->descriptor = nullptr;
        if (come_to_this_thread()) return;  // left behind with the old ring
        if (!registration->is_armed) {
            delete registration;
            return;
        }
        if (registration->batch == batch_) {  // the kernel has not heard of it
            withdraw(*registration->entry);
            delete registration;
            return;
        }
        io_uring_sqe& entry = next_submission();
        io_uring_prep_poll_remove(&entry, name_of(*registration));
        io_uring_sqe_set_data64(&entry, nobody);
        if ((*ring_)->features & IORING_FEAT_CQE_SKIP) entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
        enter();
    }

    void wait(TimePoint deadline, TimePoint /*lately*/) override {
        come_to_this_thread();
        if (has_host_) host_event_.clear();
        bool has_news = take_in();
        while (!has_news && deadline != TimePoint::min()) {
            switch (wait_for_completion(deadline)) {
            case -ETIME:
            case -EINTR:
                take_in();
                return;
            default:
                // Only what the turn can use ends the wait: not the end of a poll that was removed.
                has_news = take_in();
            }
        }
        if (kernel_has_work() || io_uring_sq_ready(ring_->get()) > 0) {
            enter();
            take_in();
        }
    }

    void wake() noexcept override { event_.set(); }

    void flush() override {
        come_to_this_thread();
        if (io_uring_sq_ready(ring_->get()) > 0) enter();
    }

  private:
    void arm(Registration& registration) {
        io_uring_sqe& entry = next_submission();
        if (registration.is_armed) {  // by a new ring, see check()
            withdraw(entry);
            return;
        }
        io_uring_prep_poll_multishot(&entry, registration.fd, POLLIN | POLLOUT | POLLRDHUP);
        io_uring_sqe_set_data64(&entry, name_of(registration));
        registration.is_armed = true;
        registration.entry = &entry;
        registration.batch = batch_;
    }

    static void withdraw(io_uring_sqe& entry) noexcept {
        io_uring_prep_nop(&entry);
        io_uring_sqe_set_data64(&entry, nobody);
    }

    void arm_wake() {
        io_uring_sqe& entry = next_submission();
        io_uring_prep_poll_multishot(&entry, event_.fd(), POLLIN);
        io_uring_sqe_set_data64(&entry, woken);
    }

    // A ring belongs to the thread that made it. A loop that is made on one thread and run on
    // another gets a new ring there, and so does one that got a host; true if it did.
    bool come_to_this_thread() {
        if (thread_ == this_thread_token()) [[likely]]
            return false;
        renew();
        return true;
    }

    void renew() {
        IoUringOptions options = options_;
        if (has_host_) options.first_setup = std::max(options.first_setup, 1U);
        auto fresh = std::make_unique<Ring>(options);
        if (has_host_) {
            int result = io_uring_register_eventfd(fresh->get(), host_event_.fd());
            if (result < 0) throw SystemError("io_uring_register_eventfd", -result);
        }
        ring_ = std::move(fresh);
        thread_ = this_thread_token();
        arm_wake();
        IntrusiveList<Registration> old;
        while (Registration* registration = registrations_.pop_front()) {
            old.push_back(*registration);
        }
        while (Registration* registration = old.pop_front()) {
            if (!registration->descriptor) {
                delete registration;
                continue;
            }
            registrations_.push_back(*registration);
            registration->is_armed = false;
            arm(*registration);
        }
    }

    io_uring_sqe& next_submission() {
        for (int attempt = 0; attempt < 100; ++attempt) {
            if (io_uring_sqe* entry = io_uring_get_sqe(ring_->get())) return *entry;
            enter();
        }
        fatal("io_uring takes no more submissions: the kernel is out of memory");
    }

    // Submits, lets the kernel do what it has put off, and does not wait.
    void enter() {
        ++batch_;
        check(io_uring_submit_and_get_events(ring_->get()));
    }

    // The completions that the kernel could not or has not put into the ring, for want of room or
    // because it waits to be asked.
    bool kernel_has_work() const noexcept {
        return IO_URING_READ_ONCE(*(*ring_)->sq.kflags) &
               (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN);
    }

    int wait_for_completion(TimePoint deadline) {
        __kernel_timespec span{};
        __kernel_timespec* limit = nullptr;
        if (deadline != no_deadline) {
            // The deadline is on the system clock: virtual clocks come with a backend of their own.
            Duration left = deadline - std::chrono::steady_clock::now();
            if (left < Duration::zero()) left = Duration::zero();
            span.tv_sec = left / 1s;
            span.tv_nsec = (left % 1s).count();
            limit = &span;
        }
        ++batch_;
        io_uring_cqe* first = nullptr;
        int result = io_uring_submit_and_wait_timeout(ring_->get(), &first, 1, limit, nullptr);
        if (result < 0 && result != -ETIME && result != -EINTR) check(result);
        return result;
    }

    // EAGAIN, EBUSY: the kernel wants completions taken in first, which every caller does next.
    // EEXIST: another thread than ours, at the same address.
    void check(int result) {
        if (result >= 0 || result == -EAGAIN || result == -EBUSY || result == -EINTR) {
            return;
        }
        CORACLE_ASSERT(result == -EEXIST);  // anything else means the ring was corrupted
        renew();
    }

    // True if a latch was set or somebody woke us.
    bool take_in() {
        bool has_news = false;
        bool wake_ended = false;
        Registration* to_arm = nullptr;
        io_uring_cqe* cqe;
        unsigned head;
        unsigned count = 0;
        io_uring_for_each_cqe(ring_->get(), head, cqe) {
            ++count;
            bool is_last = !(cqe->flags & IORING_CQE_F_MORE);
            if (cqe->user_data == nobody) continue;
            if (cqe->user_data == woken) {
                event_.clear();
                has_news = true;
                wake_ended |= is_last;
                continue;
            }
            auto* registration = reinterpret_cast<Registration*>(cqe->user_data);
            if (is_last) registration->is_armed = false;
            if (!registration->descriptor) {
                if (is_last) delete registration;
                continue;
            }
            has_news |= report(*registration->descriptor, cqe->res);
            // A poll ends when the kernel has no room for its completion, or with the thread that
            // submitted it; what has changed meanwhile shows when it is armed again. Another error
            // is final.
            if (is_last && (cqe->res >= 0 || cqe->res == -ECANCELED)) {
                registration->next_to_arm = to_arm;
                to_arm = registration;
            }
        }
        io_uring_cq_advance(ring_->get(), count);
        while (to_arm) {
            Registration* registration = std::exchange(to_arm, to_arm->next_to_arm);
            arm(*registration);
        }
        if (wake_ended) arm_wake();
        return has_news;
    }

    static bool report(Descriptor& descriptor, int result) noexcept {
        if (result == -ECANCELED) return false;
        // An error or a hang-up ends both directions: whoever waits finds it by trying.
        constexpr int broken = POLLERR | POLLHUP | POLLNVAL;
        int events = result < 0 ? broken : result;
        if (events & (POLLRDHUP | broken)) descriptor.set_ended();
        if (events & (POLLIN | POLLRDHUP | broken)) descriptor.set_readable();
        if (events & (POLLOUT | broken)) descriptor.set_writable();
        return true;
    }

    IoUringOptions options_;
    WakeEvent event_;
    mutable WakeEvent host_event_;
    mutable bool has_host_ = false;
    std::unique_ptr<Ring> ring_;
    mutable const void* thread_;  // whose ring it is; null asks for a new one
    std::uint64_t batch_ = 1;     // of the next submission
    IntrusiveList<Registration> registrations_;
};

}  // namespace

std::unique_ptr<IoBackend> make_io_uring_backend(IoUringOptions options) {
    return std::make_unique<IoUringBackend>(options);
}

}  // namespace coracle::internal

#else

namespace coracle::internal {

std::unique_ptr<IoBackend> make_io_uring_backend(IoUringOptions) {
    throw Error(
        "this build has no io_uring backend: liburing was not there when it was configured");
}

}  // namespace coracle::internal

#endif

namespace coracle {

std::unique_ptr<IoBackend> make_io_uring_backend() { return internal::make_io_uring_backend({}); }

}  // namespace coracle
