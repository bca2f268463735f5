// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/io_backend.h>

#include <coracle/base/error.h>
#include <coracle/base/log.h>
#include <coracle/core/internal/backend_counts.h>
#include <coracle/core/loop.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>

namespace coracle {
namespace {

constexpr auto names = std::to_array<std::string_view>({
    "epoll",
#if CORACLE_HAS_IO_URING
    "io_uring",
#endif
#if CORACLE_HAS_LIBUV
    "libuv",
#endif
});

std::unique_ptr<IoBackend> make_io_uring_or_epoll() {
    std::string reason;
    try {
        return make_io_uring_backend();
    } catch (const SystemError& error) {
        reason = error.what();
    }
    auto backend = make_epoll_backend();
    static std::once_flag said;
    std::call_once(said, [&] {
        log::warning("loop", "this machine refuses io_uring (" + reason + "): epoll instead");
    });
    return backend;
}

[[noreturn]] void refuse(std::string_view name, bool from_environment) {
    std::string text = from_environment ? "CORACLE_LOOP: " : "";
    text += "there is no loop backend '" + std::string(name) + "'; this build has";
    const char* before = " ";
    for (std::string_view known : names) {
        text += before + std::string(known);
        before = ", ";
    }
    throw Error(text);
}

}  // namespace

Descriptor::~Descriptor() { detach(); }

void Descriptor::attach() {
    if (backend_) return;
    IoBackend& backend = EventLoop::current().backend();
    backend.attach(*this);
    backend_ = &backend;
}

void Descriptor::detach() noexcept {
    if (backend_) std::exchange(backend_, nullptr)->detach(*this);
}

std::unique_ptr<IoBackend> make_io_backend(std::string_view name) {
    bool from_environment = false;
    if (name.empty()) {
        const char* variable = std::getenv("CORACLE_LOOP");
        if (!variable || !*variable) return make_epoll_backend();
        name = variable;
        from_environment = true;
    }
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        refuse(name, from_environment);
    }
    if (name == "io_uring") return make_io_uring_or_epoll();
    if (name == "libuv") return make_libuv_backend();
    return make_epoll_backend();
}

std::span<const std::string_view> io_backend_names() noexcept { return names; }

namespace internal {
namespace {

struct Count {
    std::string_view name;
    std::atomic<std::uint64_t> loops{0};
};
constinit Count counts[] = {{"epoll"}, {"io_uring"}, {"libuv"}, {"virtual"}};

}  // namespace

std::uint64_t loops_made_on(std::string_view backend) noexcept {
    for (const Count& count : counts) {
        if (count.name == backend) return count.loops.load(std::memory_order_relaxed);
    }
    return 0;
}

void count_loop_on(std::string_view backend) noexcept {
    for (Count& count : counts) {
        if (count.name == backend) count.loops.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace internal
}  // namespace coracle
