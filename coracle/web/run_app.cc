// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/run_app.h>

#include <coracle/base/log.h>
#include <coracle/core/cancel.h>
#include <coracle/core/event.h>
#include <coracle/core/registry.h>
#include <coracle/core/scope.h>
#include <coracle/core/task_tree.h>
#include <coracle/net/tcp.h>
#include <coracle/web/internal/shutdown_guard.h>
#include <coracle/web/runner.h>
#include <coracle/wire/http_server.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace coracle::web::internal {
namespace {

using Listeners = std::vector<std::unique_ptr<net::TcpListener>>;

class Process;

// Clears a pointer to something that ends with this block.
template <class T>
class Borrowed {
  public:
    Borrowed(T*& slot, T& target) noexcept : slot_(slot) { slot_ = &target; }
    ~Borrowed() { slot_ = nullptr; }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;

  private:
    T*& slot_;
};

// One event loop with its application, on its own thread.
class Worker {
  public:
    Worker(Process& process, std::size_t index) : process_(process), index_(index) {}

    // The body of the thread: makes the loop, and ends when it has been told to stop.
    void run();

    // From any thread; does nothing once the loop has ended.
    void post(MoveFunction<void()> fn);

    // On the worker's own thread.
    void go(Listeners listeners);
    void stop(bool at_once);

  private:
    Task<void> live();
    Task<void> serve(AppRunner& runner);

    Process& process_;
    std::size_t index_;
    std::mutex mutex_;
    // Under the mutex.
    EventLoop* loop_ = nullptr;
    std::vector<MoveFunction<void()>> early_;  // posted before the loop was there
    bool ended_ = false;

    std::unique_ptr<Event> told_;  // to go on, or to stop
    std::optional<Listeners> listeners_;
    AppRunner* runner_ = nullptr;
    CancelScope* starting_ = nullptr;
    bool stopping_ = false;
    bool at_once_ = false;
};

// SIGINT and SIGTERM do nothing where no loop handles them: before the first loop runs, and while
// the last one and what it left are taken down. An impatient signal there must not turn a clean end
// into a killed process.
class IgnoredAtTheEnds {
  public:
    explicit IgnoredAtTheEnds(bool wanted) : wanted_(wanted) {
        if (!wanted_) return;
        interrupt_ = std::signal(SIGINT, SIG_IGN);
        terminate_ = std::signal(SIGTERM, SIG_IGN);
    }
    ~IgnoredAtTheEnds() {
        if (!wanted_) return;
        std::signal(SIGINT, interrupt_);
        std::signal(SIGTERM, terminate_);
    }
    IgnoredAtTheEnds(const IgnoredAtTheEnds&) = delete;
    IgnoredAtTheEnds& operator=(const IgnoredAtTheEnds&) = delete;

  private:
    using Disposition = void (*)(int);
    bool wanted_;
    Disposition interrupt_ = SIG_DFL;
    Disposition terminate_ = SIG_DFL;
};

// All workers. Worker 0 runs on the thread that called run_app() and leads: it binds the listeners
// once every worker is ready, handles signals, and ends last.
class Process {
  public:
    Process(AppFactory make_app, const RunOptions& options)
        : make_app_(std::move(make_app)),
          options_(options),
          registry_(WorkerContext::make_registry()) {
        for (std::string_view host : options.hosts) hosts_.emplace_back(host);
        if (hosts_.empty()) hosts_.emplace_back(options.host);
    }

    int run();

    // Called by workers, each on its own thread.
    Application make_app(std::size_t index);
    void ready();
    void failed(const std::exception_ptr& error);
    void ended();
    // On worker 0's thread.
    void leader_began(EventLoop& loop);
    void leader_ends(EventLoop& loop);
    Task<void> wait_for_others();

    const RunOptions& options() const noexcept { return options_; }
    wire::ServerCounters& counters() noexcept { return counters_; }

  private:
    std::vector<Statistic> statistics() const;
    void check_ports();
    void bind_all();
    void announce(const Listeners& listeners) const;
    void stop_all(bool at_once);
    void signalled();
    void count_down(std::atomic<std::size_t>& count, MoveFunction<void()> last);

    AppFactory make_app_;
    const RunOptions& options_;
    std::vector<std::string> hosts_;
    std::shared_ptr<WorkerContext::Registry> registry_;
    wire::ServerCounters counters_;
    SourceRegistration source_ = register_source("server", [this] { return statistics(); });
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;  // of all but the leader
    std::mutex make_mutex_;
    std::atomic<std::size_t> not_ready_{0};
    std::atomic<std::size_t> not_ended_{0};
    std::atomic<int> exit_code_{0};
    std::unique_ptr<Event> others_ended_;
    ShutdownGuard guard_{exit_code_, options_.shutdown_timeout};
    int signals_ = 0;
};

// Worker

void Worker::run() {
    std::optional<EventLoop> loop;
    try {
        loop.emplace(process_.options().loop);
    } catch (const Error&) {  // a backend that is not there, descriptors that have run out
        {
            std::lock_guard lock(mutex_);
            ended_ = true;
        }
        process_.failed(std::current_exception());
        process_.ended();
        return;
    }
    told_ = std::make_unique<Event>();
    {
        std::lock_guard lock(mutex_);
        loop_ = &*loop;
        for (auto& fn : early_) loop->call_soon(std::move(fn));
        early_.clear();
    }
    if (index_ == 0) process_.leader_began(*loop);
    loop->run_until_complete(live());
    if (index_ == 0) process_.leader_ends(*loop);
    {
        std::lock_guard lock(mutex_);
        loop_ = nullptr;
        ended_ = true;
    }
    loop.reset();
    told_.reset();
}

void Worker::post(MoveFunction<void()> fn) {
    std::lock_guard lock(mutex_);
    if (loop_) {
        loop_->call_soon_threadsafe(std::move(fn));
    } else if (!ended_) {
        early_.push_back(std::move(fn));  // its thread has not come that far: told when it has
    }
}

void Worker::go(Listeners listeners) {
    listeners_ = std::move(listeners);
    told_->set();
}

void Worker::stop(bool at_once) {
    stopping_ = true;
    at_once_ = at_once_ || at_once;
    if (starting_) starting_->cancel("interrupted");
    if (at_once_ && runner_) runner_->hurry();
    told_->set();
}

Task<void> Worker::live() {
    try {
        wire::ServerOptions server = process_.options().server;
        if (server.connections_max == 0) {
            // The limit of open files is the process's, the connections are the worker's.
            server.connections_max = std::max<std::size_t>(
                wire::default_connections_max() / process_.options().workers, 1);
        }
        AppRunner runner(process_.make_app(index_),
                         {.shutdown_timeout = process_.options().shutdown_timeout,
                          .server = server,
                          .access_log = process_.options().access_log},
                         &process_.counters());
        co_await serve(runner);
    } catch (...) {  // tidy: said on stderr; nobody cancels this task
        process_.failed(std::current_exception());
    }
    process_.ended();
    if (index_ == 0) co_await process_.wait_for_others();
}

Task<void> Worker::serve(AppRunner& runner) {
    Borrowed<AppRunner> borrowed(runner_, runner);
    if (at_once_) runner.hurry();
    bool started = co_await cancel_scope([&](CancelScope& scope) -> Task<void> {
        Borrowed<CancelScope> starting(starting_, scope);
        if (stopping_) scope.cancel("interrupted");
        co_await runner.setup();
    });
    if (started) {
        process_.ready();
        while (!stopping_) {
            told_->clear();
            if (listeners_) {
                for (auto& listener : *listeners_) runner.serve(std::move(listener));
                listeners_.reset();
            }
            co_await told_->wait();
        }
        co_await runner.cleanup();
    }
}

// Process

int Process::run() {
    IgnoredAtTheEnds ignored(options_.handle_signals);
    std::size_t count = options_.workers;
    not_ready_ = not_ended_ = count;
    try {
        check_ports();
    } catch (const net::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    for (std::size_t i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>(*this, i));
    workers_[0]->run();
    for (std::thread& thread : threads_) thread.join();
    guard_.disarm();
    std::fflush(stdout);
    return exit_code_;
}

std::vector<Statistic> Process::statistics() const {
    auto number = [](const auto& counter) { return static_cast<double>(counter.load()); };
    return {
        {"requests", number(counters_.requests)},
        {"connections", number(counters_.connections_open)},
        {"connections_accepted", number(counters_.connections_accepted)},
        {"connections_refused", number(counters_.connections_refused)},
    };
}

Application Process::make_app(std::size_t index) {
    WorkerContext context(index, options_.workers, registry_);
    std::lock_guard lock(make_mutex_);  // the factory need not be safe to call twice at a time
    return make_app_(context);
}

void Process::count_down(std::atomic<std::size_t>& count, MoveFunction<void()> last) {
    if (count.fetch_sub(1) == 1) workers_[0]->post(std::move(last));
}

void Process::ready() {
    count_down(not_ready_, [this] { bind_all(); });
}

void Process::failed(const std::exception_ptr& error) {
    // One sentence, from the first that failed.
    if (exit_code_.exchange(1) == 0) {
        std::fprintf(stderr, "the application did not start: %s\n",
                     describe_exception(error).c_str());
    }
    workers_[0]->post([this] { stop_all(false); });
}

void Process::ended() {
    count_down(not_ended_, [this] { others_ended_->set(); });
}

void Process::leader_began(EventLoop& loop) {
    others_ended_ = std::make_unique<Event>();
    if (options_.handle_signals) {
        loop.add_signal_handler(SIGINT, [this] { signalled(); }, guard_.tap());
        loop.add_signal_handler(SIGTERM, [this] { signalled(); }, guard_.tap());
    }
    for (std::size_t i = 1; i < workers_.size(); ++i) {
        threads_.emplace_back(&Worker::run, workers_[i].get());
    }
}

void Process::leader_ends(EventLoop& loop) {
    if (!options_.handle_signals) return;
    loop.remove_signal_handler(SIGINT);
    loop.remove_signal_handler(SIGTERM);
}

Task<void> Process::wait_for_others() { co_await others_ended_->wait(); }

void Process::signalled() { stop_all(++signals_ > 1); }

void Process::stop_all(bool at_once) {
    // Threads that cannot be interrupted, and a blocked loop, must not keep the program beyond its
    // deadline.
    guard_.arm(at_once);
    for (auto& worker : workers_) {
        worker->post([target = worker.get(), at_once] { target->stop(at_once); });
    }
}

// An occupied port is told before the application is made, even if whoever has it shares it.
void Process::check_ports() {
    for (const std::string& host : hosts_) net::TcpListener::check(host, options_.port);
}

// Every worker is ready. The first listener chooses the port if none was asked for.
void Process::bind_all() {
    std::vector<Listeners> all(workers_.size());
    net::ListenOptions listen{.backlog = options_.backlog, .reuse_port = options_.workers > 1};
    std::uint16_t port = options_.port;
    try {
        for (Listeners& listeners : all) {
            for (const std::string& host : hosts_) {
                listeners.push_back(std::make_unique<net::TcpListener>(host, port, listen));
                port = listeners.back()->port();
            }
        }
    } catch (const net::Error& error) {
        if (exit_code_.exchange(1) == 0) std::fprintf(stderr, "%s\n", error.what());
        stop_all(true);
        return;
    }
    announce(all.front());
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        workers_[i]->post([target = workers_[i].get(), listeners = std::move(all[i])]() mutable {
            target->go(std::move(listeners));
        });
    }
}

void Process::announce(const Listeners& listeners) const {
    if (!options_.print) return;
    for (const auto& listener : listeners) {
        std::printf("listening on http://%s\n", listener->address().c_str());
    }
    std::fflush(stdout);
}

}  // namespace

int run_app(AppFactory make_app, const RunOptions& options) {
    if (options.workers == 0) {
        std::fprintf(stderr, "run_app: workers = 0, but one at least must serve\n");
        return 1;
    }
    Process process(std::move(make_app), options);
    return process.run();
}

int run_single_app(Application app, const RunOptions& options) {
    if (options.workers != 1) {
        std::fprintf(stderr,
                     "run_app: one application cannot be served by %u workers, each needs its own: "
                     "pass the function that makes it, run_app(make_app, ...)\n",
                     options.workers);
        return 1;
    }
    return run_app([&app](WorkerContext&) { return std::move(app); }, options);
}

}  // namespace coracle::web::internal
