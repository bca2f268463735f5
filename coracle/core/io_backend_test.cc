// SPDX-License-Identifier: Apache-2.0
// What every backend promises, and how one is chosen.
#include <coracle/core/io_backend.h>

#include <coracle/base/error.h>
#include <coracle/base/log.h>
#include <coracle/core/internal/io_uring_backend.h>
#include <coracle/core/loop.h>
#include <coracle/core/run.h>
#include <coracle/core/sleep.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace coracle {
namespace {

struct Kind {
    const char* test_name;
    std::string_view name;
    std::unique_ptr<IoBackend> (*make)();
};

template <unsigned first_setup>
std::unique_ptr<IoBackend> make_io_uring_with() {
    return internal::make_io_uring_backend({.first_setup = first_setup});
}

// Rings so small that everything overflows.
std::unique_ptr<IoBackend> make_small_io_uring() {
    return internal::make_io_uring_backend({.submissions = 2, .completions = 4});
}

constexpr Kind kinds[] = {
    {"Epoll", "epoll", make_epoll_backend},
    {"IoUring", "io_uring", make_io_uring_backend},
    {"IoUringCooperative", "io_uring", make_io_uring_with<1>},
    {"IoUringPlain", "io_uring", make_io_uring_with<2>},
    {"IoUringSmall", "io_uring", make_small_io_uring},
    {"Libuv", "libuv", make_libuv_backend},
};

// Whether the kernel makes rings for us; asked without the code under test.
bool kernel_has_io_uring() {
    struct {
        unsigned words[30];
    } parameters{};
    long fd = syscall(SYS_io_uring_setup, 4, &parameters);
    if (fd < 0) return false;
    close(static_cast<int>(fd));
    return true;
}

std::vector<Kind> kinds_here() {
    bool has_io_uring = kernel_has_io_uring();
    if (!has_io_uring) {
        std::fprintf(stderr, "this kernel refuses io_uring (%s): IoBackend/IoUring* left out\n",
                     error_text(errno).c_str());
    }
    auto built = io_backend_names();
    std::vector<Kind> chosen;
    for (const Kind& kind : kinds) {
        if (kind.name == "io_uring" && !has_io_uring) continue;
        if (std::find(built.begin(), built.end(), kind.name) == built.end()) continue;
        chosen.push_back(kind);
    }
    return chosen;
}

// Two connected sockets, of which ours is to be watched.
struct Pair {
    Pair() {
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) {
            throw SystemError("socketpair", errno);
        }
        ours = fds[0];
        theirs = fds[1];
        descriptor.emplace(ours);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() {
        close_ours();
        close_theirs();
    }
    void close_ours() {
        if (ours >= 0) ::close(std::exchange(ours, -1));
    }
    void close_theirs() {
        if (theirs >= 0) ::close(std::exchange(theirs, -1));
    }

    void send(std::string_view text) {
        ASSERT_EQ(::write(theirs, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    // Everything there is; clears the latch, as a stream does.
    std::string take() {
        std::string taken;
        char bytes[64];
        ssize_t got;
        while ((got = ::read(ours, bytes, sizeof bytes)) > 0) {
            taken.append(bytes, static_cast<std::size_t>(got));
        }
        if (got < 0) descriptor->clear_readable();
        return taken;
    }
    void fill() {
        std::string bytes(65536, 'x');
        while (::write(ours, bytes.data(), bytes.size()) > 0) {
        }
        descriptor->clear_writable();
    }
    void drain_theirs() {
        char bytes[4096];
        while (::read(theirs, bytes, sizeof bytes) > 0) {
        }
    }

    int ours = -1;
    int theirs = -1;
    std::optional<Descriptor> descriptor;
};

TimePoint now() { return std::chrono::steady_clock::now(); }

class IoBackends : public testing::TestWithParam<Kind> {
  protected:
    void SetUp() override { backend_ = GetParam().make(); }

    void attach(Pair& pair) { backend_->attach(*pair.descriptor); }
    void detach(Pair& pair) { backend_->detach(*pair.descriptor); }

    // Waits until it holds, at most ten seconds.
    void wait_until(const std::function<bool()>& holds) {
        TimePoint limit = now() + 10s;
        while (!holds() && now() < limit) backend_->wait(limit, now());
        EXPECT_TRUE(holds());
    }
    // Takes in what the kernel has to say by now.
    void settle() {
        for (int i = 0; i < 4; ++i) backend_->wait(TimePoint::min(), now());
    }
    // Watched, with nothing to read and its first report taken in.
    void attach_quiet(Pair& pair) {
        attach(pair);
        settle();
        EXPECT_EQ(pair.take(), "");
    }

    // How often a wait until then had to be begun. More than once, because the kernel interrupts
    // one to clean up after a ring that was closed; one that does not rest at all makes thousands.
    int waits_until(TimePoint deadline) {
        int waits = 0;
        for (; now() < deadline; ++waits) backend_->wait(deadline, now());
        return waits;
    }
    static constexpr int few = 100;

    std::unique_ptr<IoBackend> backend_;
};

TEST_P(IoBackends, SayTheirName) { EXPECT_EQ(backend_->name(), GetParam().name); }

TEST_P(IoBackends, ReportEachChangeOnce) {
    Pair pair;
    attach_quiet(pair);
    for (int i = 0; i < 3; ++i) {
        pair.send("abc");
        wait_until([&] { return pair.descriptor->is_readable(); });
        EXPECT_EQ(pair.take(), "abc");
        settle();
        EXPECT_FALSE(pair.descriptor->is_readable());
    }
    EXPECT_FALSE(pair.descriptor->has_ended());
    detach(pair);
}

TEST_P(IoBackends, ReportWhatHappenedBeforeTheyWatched) {
    Pair pair;
    pair.descriptor->clear_readable();
    pair.send("abc");
    attach(pair);
    wait_until([&] { return pair.descriptor->is_readable(); });
    detach(pair);
}

TEST_P(IoBackends, ReportThatThereIsRoomAgain) {
    Pair pair;
    attach_quiet(pair);
    for (int i = 0; i < 3; ++i) {
        pair.fill();
        settle();
        EXPECT_FALSE(pair.descriptor->is_writable());
        pair.drain_theirs();
        wait_until([&] { return pair.descriptor->is_writable(); });
    }
    detach(pair);
}

TEST_P(IoBackends, ReportTheEnd) {
    Pair pair;
    attach_quiet(pair);
    ::shutdown(pair.theirs, SHUT_WR);
    wait_until([&] { return pair.descriptor->is_readable() && pair.descriptor->has_ended(); });
    detach(pair);
}

TEST_P(IoBackends, ReportAHangUpInBothDirections) {
    Pair pair;
    attach_quiet(pair);
    pair.fill();
    pair.close_theirs();
    wait_until([&] {
        return pair.descriptor->is_readable() && pair.descriptor->is_writable() &&
               pair.descriptor->has_ended();
    });
    detach(pair);
}

// What is ready and not wanted must not keep the loop from resting.
TEST_P(IoBackends, RestWhenNothingChanges) {
    Pair pair;
    attach(pair);
    pair.send("nobody reads this");
    pair.descriptor->clear_readable();
    wait_until([&] { return pair.descriptor->is_readable(); });
    settle();
    EXPECT_LE(waits_until(now() + 20ms), few);
    detach(pair);
}

TEST_P(IoBackends, KeepTheDeadline) {
    settle();
    backend_->wait(now() - 1s, now());  // has passed
    for (Duration span : {Duration(1us), Duration(300us), Duration(1100us), Duration(5ms)}) {
        TimePoint deadline = now() + span;
        EXPECT_LE(waits_until(deadline), few);
    }
}

TEST_P(IoBackends, AreWokenFromBeforeAndDuringAWait) {
    backend_->wake();
    backend_->wait(no_deadline, now());
    for (int i = 0; i < 100; ++i) {
        std::atomic<bool> woken = false;
        std::thread other([&] {
            woken = true;
            backend_->wake();
        });
        while (!woken) backend_->wait(now() + 10s, now());
        other.join();
        settle();  // if it woke before the wait began
    }
}

IoBackend* signalled = nullptr;

TEST_P(IoBackends, AreWokenBySignalHandlers) {
    signalled = backend_.get();
    auto before = std::signal(SIGUSR2, [](int) { signalled->wake(); });
    std::raise(SIGUSR2);
    backend_->wait(no_deadline, now());
    std::atomic<bool> sent = false;
    pthread_t waiter = pthread_self();
    std::thread other([&] {
        sent = true;
        pthread_kill(waiter, SIGUSR2);
    });
    while (!sent) backend_->wait(now() + 10s, now());
    other.join();
    settle();
    std::signal(SIGUSR2, before);
}

TEST_P(IoBackends, ForgetADescriptorAtOnce) {
    for (bool is_told : {false, true}) {
        Pair pair;
        attach(pair);
        if (is_told) settle();
        pair.send("abc");
        detach(pair);
        pair.descriptor.reset();  // nothing may write there any more
        settle();
    }
}

TEST_P(IoBackends, KeepNoFileOpenThatTheyDoNotWatch) {
    for (bool is_told : {false, true}) {
        Pair pair;
        attach(pair);
        if (is_told) settle();
        detach(pair);
        pair.close_ours();
        char byte;
        EXPECT_EQ(::read(pair.theirs, &byte, 1), 0) << "the peer does not see the end";
    }
}

TEST_P(IoBackends, TellANumberThatIsUsedAgainFromItsLastUse) {
    Pair first;
    attach_quiet(first);
    first.send("for the first");
    detach(first);
    int number = first.ours;
    Pair second;
    ASSERT_EQ(::dup2(second.ours, number), number);
    Descriptor again(number);
    backend_->attach(again);
    settle();
    again.clear_readable();
    settle();
    EXPECT_FALSE(again.is_readable());
    second.send("for the second");
    wait_until([&] { return again.is_readable(); });
    backend_->detach(again);
}

TEST_P(IoBackends, RefuseWhatCannotBeWatched) {
    char name[] = "/tmp/coracle-backend-XXXXXX";
    int file = mkstemp(name);
    ASSERT_GE(file, 0);
    ::unlink(name);
    Descriptor regular(file);
    try {
        backend_->attach(regular);
        ADD_FAILURE() << "a file has no readiness";
    } catch (const SystemError& error) {
        EXPECT_EQ(error.code(), EPERM);
    }
    ::close(file);
    Descriptor closed(-1);
    try {
        backend_->attach(closed);
        ADD_FAILURE() << "there is no such descriptor";
    } catch (const SystemError& error) {
        EXPECT_EQ(error.code(), EBADF);
        EXPECT_STREQ(error.what(), "watch descriptor -1: Bad file descriptor");
    }
    settle();
}

TEST_P(IoBackends, LeaveTheModeOfADescriptorAlone) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    Descriptor blocking(fds[0]);
    backend_->attach(blocking);
    settle();
    EXPECT_EQ(::fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    backend_->detach(blocking);
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST_P(IoBackends, TellAHostThroughTheirDescriptor) {
    // An epoll of the host's, because that hears of a change only when it is told.
    int host = epoll_create1(EPOLL_CLOEXEC);
    epoll_event interest{};
    interest.events = EPOLLIN;
    ASSERT_EQ(::epoll_ctl(host, EPOLL_CTL_ADD, backend_->fd(), &interest), 0);
    auto waits_for = [&](int ms) {
        epoll_event event;
        int count;
        do {
            count = ::epoll_wait(host, &event, 1, ms);
        } while (count < 0 && errno == EINTR);
        return count > 0;
    };
    auto is_quiet = [&] {
        for (int i = 0; i < 10; ++i) {
            backend_->wait(TimePoint::min(), now());
            backend_->flush();
            if (!waits_for(0)) return true;
        }
        return false;
    };
    Pair pair;
    attach(pair);
    pair.take();
    EXPECT_TRUE(is_quiet());
    for (int i = 0; i < 3; ++i) {
        pair.send("abc");
        EXPECT_TRUE(waits_for(10'000));
        backend_->wait(TimePoint::min(), now());
        EXPECT_TRUE(pair.descriptor->is_readable());
        EXPECT_EQ(pair.take(), "abc");
        EXPECT_TRUE(is_quiet());
        backend_->wake();
        EXPECT_TRUE(waits_for(10'000));
        EXPECT_TRUE(is_quiet());
    }
    detach(pair);
    ::close(host);
}

TEST_P(IoBackends, LoseNothingWhenEverythingChangesAtOnce) {
    std::vector<std::unique_ptr<Pair>> pairs;
    for (int i = 0; i < 300; ++i) {
        pairs.push_back(std::make_unique<Pair>());
        attach(*pairs.back());
    }
    settle();
    for (int round = 0; round < 3; ++round) {
        for (auto& pair : pairs) pair->take();
        for (auto& pair : pairs) pair->send("x");
        wait_until([&] {
            return std::all_of(pairs.begin(), pairs.end(),
                               [](auto& pair) { return pair->descriptor->is_readable(); });
        });
    }
    for (auto& pair : pairs) detach(*pair);
    settle();
}

// How many descriptors an epoll instance watches.
std::size_t watched_by(int epoll) {
    std::ifstream lines("/proc/self/fdinfo/" + std::to_string(epoll));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += line.starts_with("tfd:");
    return count;
}

// libuv would report them again and again, and watching is a system call each time it begins and
// ends. A busy loop still hears of others after as many looks as it takes to serve those reported.
TEST(LibuvBackend, GoesOnWatchingWhatABusyLoopHasNotServedYet) {
    if (std::ranges::count(io_backend_names(), "libuv") == 0) return;  // this build has none
    auto backend = make_libuv_backend();
    auto look = [&] { backend->wait(TimePoint::min(), now()); };
    constexpr int pairs_count = 3 * IoBackend::steps_between_looks;
    std::vector<std::unique_ptr<Pair>> pairs;
    for (int i = 0; i < pairs_count + 1; ++i) {
        pairs.push_back(std::make_unique<Pair>());
        pairs.back()->descriptor->clear_readable();
        backend->attach(*pairs.back()->descriptor);
    }
    look();
    std::size_t watched = watched_by(backend->fd());
    EXPECT_GE(watched, pairs.size());

    Pair& late = *pairs.back();
    for (auto& pair : pairs) {
        if (pair.get() != &late) pair->send("x");
    }
    look();
    late.send("x");
    for (int i = 0; i < pairs_count; ++i) {
        EXPECT_TRUE(pairs[static_cast<std::size_t>(i)]->descriptor->is_readable());
        if (i % IoBackend::steps_between_looks == 0) look();
        pairs[static_cast<std::size_t>(i)]->take();
    }
    EXPECT_EQ(watched_by(backend->fd()), watched);
    EXPECT_FALSE(late.descriptor->is_readable());
    look();
    EXPECT_TRUE(late.descriptor->is_readable());
    for (auto& pair : pairs) backend->detach(*pair->descriptor);
}

// A loop may be made on one thread and run on others, one after the other.
TEST_P(IoBackends, MayMoveToAnotherThread) {
    Pair pair;
    attach_quiet(pair);
    auto exchange = [&] {
        pair.send("abc");
        wait_until([&] { return pair.descriptor->is_readable(); });
        EXPECT_EQ(pair.take(), "abc");
        Pair other;
        attach_quiet(other);
        other.send("def");
        wait_until([&] { return other.descriptor->is_readable(); });
        detach(other);
        backend_->wake();
        backend_->wait(no_deadline, now());
    };
    for (int i = 0; i < 3; ++i) std::thread(exchange).join();  // perhaps at the same address
    exchange();
    std::thread([&] { detach(pair); }).join();
    settle();
}

TEST_P(IoBackends, SurviveRandomTurns) {
    unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<std::unique_ptr<Pair>> pairs(24);
    for (int turn = 0; turn < 3000; ++turn) {
        auto& pair = pairs[random() % pairs.size()];
        switch (random() % 5) {
        case 0:
            if (pair) {
                detach(*pair);
                pair.reset();
            } else {
                pair = std::make_unique<Pair>();
                attach(*pair);
            }
            break;
        case 1:
            if (pair && pair->theirs >= 0) pair->send("x");
            break;
        case 2:
            if (pair) pair->take();
            break;
        case 3:
            if (pair && random() % 4 == 0) pair->close_theirs();
            break;
        default:
            backend_->wait(TimePoint::min(), now());
        }
    }
    for (auto& pair : pairs) {
        if (!pair) continue;
        // What has arrived shows.
        if (pair->theirs >= 0) pair->send("y");
        wait_until([&] { return pair->descriptor->is_readable(); });
        detach(*pair);
    }
}

INSTANTIATE_TEST_SUITE_P(, IoBackends, testing::ValuesIn(kinds_here()),
                         [](const auto& kind) { return std::string(kind.param.test_name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(IoBackends);

class Environment {
  public:
    explicit Environment(const char* value) {
        if (const char* before = std::getenv("CORACLE_LOOP")) before_ = before;
        setenv("CORACLE_LOOP", value, 1);
    }
    ~Environment() {
        if (before_) {
            setenv("CORACLE_LOOP", before_->c_str(), 1);
        } else {
            unsetenv("CORACLE_LOOP");
        }
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    std::optional<std::string> before_;
};

std::string refusal_of(std::string_view name) {
    try {
        make_io_backend(name);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(MakeIoBackend, ChoosesByNameThenByTheEnvironmentThenEpoll) {
    EXPECT_EQ(make_io_backend("epoll")->name(), "epoll");
    {
        Environment set("");
        EXPECT_EQ(make_io_backend()->name(), "epoll");
    }
    for (std::string_view name : io_backend_names()) {
        if (name == "io_uring" && !kernel_has_io_uring()) continue;
        Environment set(std::string(name).c_str());
        EXPECT_EQ(make_io_backend()->name(), name);
        EXPECT_EQ(make_io_backend("epoll")->name(), "epoll");
        EXPECT_EQ(EventLoop({.backend = name}).backend_name(), name);
        EXPECT_EQ(EventLoop().backend_name(), name);
        EXPECT_EQ(run([]() -> Task<std::string> {
                      co_await sleep(1us);
                      co_return std::string(EventLoop::current().backend_name());
                  }()),
                  name);
    }
}

TEST(MakeIoBackend, RefusesANameThatItDoesNotHave) {
    EXPECT_TRUE(refusal_of("kqueue").starts_with(
        "there is no loop backend 'kqueue'; this build has epoll"));
    Environment set("iouring");
    EXPECT_TRUE(
        refusal_of("").starts_with("CORACLE_LOOP: there is no loop backend 'iouring'; this build"));
    EXPECT_THROW(EventLoop(), Error);
    EXPECT_EQ(EventLoop({.backend = "epoll"}).backend_name(), "epoll");
}

// As the default profile of a container does.
void forbid_io_uring() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),  // the number of the call
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{std::size(program), program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
        std::perror("seccomp");
        std::exit(1);
    }
}

[[noreturn]] void run_where_io_uring_is_forbidden() {
    forbid_io_uring();
    std::vector<std::string> lines;
    log::set_sink(
        [&](log::Level, std::string_view, std::string_view text) { lines.emplace_back(text); });
    for (int i = 0; i < 3; ++i) {
        EventLoop loop({.backend = "io_uring"});
        lines.emplace_back(loop.backend_name());
    }
    bool throws = false;
    try {
        make_io_uring_backend();
    } catch (const SystemError& error) {
        throws = error.code() == EPERM;
    }
    log::set_sink({});
    for (const std::string& line : lines) std::fprintf(stderr, "%s\n", line.c_str());
    std::exit(throws ? 0 : 1);
}

TEST(MakeIoBackend, FallsBackToEpollWhereTheKernelRefusesIoUringAndSaysSoOnce) {
    auto built = io_backend_names();
    if (std::find(built.begin(), built.end(), "io_uring") == built.end()) {
        EXPECT_NE(refusal_of("io_uring"), "");
        return;
    }
    EXPECT_EXIT(run_where_io_uring_is_forbidden(), testing::ExitedWithCode(0),
                "^this machine refuses io_uring \\(io_uring_setup: Operation not permitted\\): "
                "epoll instead\nepoll\nepoll\nepoll\n$");
}

}  // namespace
}  // namespace coracle
