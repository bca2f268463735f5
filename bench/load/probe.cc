// SPDX-License-Identifier: Apache-2.0
// One light client beside heavy ones: how fast is the fast endpoint while jobs are in flight?
//
//   probe --port N [--path /plaintext] [--seconds 3] [--gap-us 1000]
//         [--jobs 50 --job-path /threaded?seconds=1]
//
// `jobs` connections each keep one job in flight, asking again as soon as it is answered; a tenth
// of a second after they began, one more connection asks --path, waits --gap-us, asks again.
// Prints one JSON object: fast answers with their percentiles, and jobs done in that time.
#include <atomic>
#include <cstdio>
#include <exception>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "connection.h"
#include "latencies.h"
#include "options.h"
#include "request.h"

namespace bench {
namespace {

// Connections that keep the server's workers busy. Stops, and joins its threads, when destroyed.
class Jobs {
  public:
    Jobs(std::uint16_t port, const std::string& path, int count) {
        for (int index = 0; index < count; ++index) {
            auto& connection = connections_.emplace_back(port);
            threads_.emplace_back([this, &connection, path] { keep_asking(connection, path); });
        }
    }
    ~Jobs() {
        stopping_ = true;
        for (auto& connection : connections_) connection.abort();
    }

    int done() const { return done_; }
    bool has_failed() const { return failed_; }

  private:
    void keep_asking(Connection& connection, const std::string& path) {
        Requests requests(path, false, 1, 0);
        try {
            while (!stopping_) {
                requests.stamp();
                connection.exchange(requests.bytes());
                ++done_;
            }
        } catch (const std::exception& error) {
            if (stopping_) return;  // our own abort()
            failed_ = true;
            std::fprintf(stderr, "probe: job: %s\n", error.what());
        }
    }

    std::atomic<bool> stopping_ = false;
    std::atomic<bool> failed_ = false;
    std::atomic<int> done_ = 0;
    std::list<Connection> connections_;
    std::vector<std::jthread> threads_;  // last, so that they are joined first
};

int measure(const Options& options) {
    auto port = static_cast<std::uint16_t>(options.integer("port", 8080));
    auto gap = std::chrono::microseconds(options.integer("gap-us", 1000));
    auto window = std::chrono::duration<double>(options.real("seconds", 3));
    Requests requests(options.text("path", "/plaintext"), false, 1, 0);
    Connection connection(port);
    connection.exchange(requests.bytes());

    Jobs jobs(port, options.text("job-path", "/"), options.integer("jobs", 0));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    Latencies latencies;
    for (auto begin = Clock::now(); Clock::now() - begin < window;) {
        requests.stamp();
        auto sent = Clock::now();
        connection.exchange(requests.bytes());
        latencies.add(Clock::now() - sent);
        std::this_thread::sleep_for(gap);
    }
    std::printf(
        "{\"answers\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"jobs_done\": "
        "%d}\n",
        latencies.count(), latencies.percentile_us(0.50), latencies.percentile_us(0.99),
        latencies.percentile_us(1.0), jobs.done());
    return jobs.has_failed() ? 1 : 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    try {
        return bench::measure(bench::Options(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "probe: %s\n", error.what());
        return 1;
    }
}
