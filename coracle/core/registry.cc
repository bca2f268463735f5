// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/registry.h>

#include <coracle/core/internal/frame_allocator.h>
#include <coracle/core/internal/loop_registry.h>

#include <algorithm>
#include <mutex>

namespace coracle {

struct SourceRegistration::Entry {
    std::string name;
    std::mutex mutex;  // held while reading, so that removal waits
    std::function<std::vector<Statistic>()> read;
};

namespace {

struct Registry {
    std::mutex mutex;
    std::vector<EventLoop*> loops;
    std::vector<std::weak_ptr<void>> sources;
};

Registry& registry() {
    static Registry* instance = new Registry;  // outlives static destructors that still unregister
    return *instance;
}

}  // namespace

void for_each_loop(const std::function<void(EventLoop&)>& fn) {
    std::lock_guard lock(registry().mutex);
    for (EventLoop* loop : registry().loops) fn(*loop);
}

SourceRegistration::~SourceRegistration() {
    if (!entry_) return;
    std::lock_guard lock(entry_->mutex);
    entry_->read = nullptr;
}

SourceRegistration::SourceRegistration(SourceRegistration&&) noexcept = default;

SourceRegistration& SourceRegistration::operator=(SourceRegistration&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
}

SourceRegistration register_source(std::string name, std::function<std::vector<Statistic>()> read) {
    SourceRegistration registration;
    registration.entry_ = std::make_shared<SourceRegistration::Entry>();
    registration.entry_->name = std::move(name);
    registration.entry_->read = std::move(read);
    std::lock_guard lock(registry().mutex);
    std::erase_if(registry().sources, [](const auto& source) { return source.expired(); });
    registry().sources.push_back(registration.entry_);
    return registration;
}

std::vector<std::pair<std::string, std::vector<Statistic>>> read_sources() {
    std::vector<std::weak_ptr<void>> sources;
    {
        std::lock_guard lock(registry().mutex);
        sources = registry().sources;
    }
    std::vector<std::pair<std::string, std::vector<Statistic>>> all;
    for (const auto& weak : sources) {
        auto entry = std::static_pointer_cast<SourceRegistration::Entry>(weak.lock());
        if (!entry) continue;
        std::lock_guard lock(entry->mutex);
        if (entry->read) all.emplace_back(entry->name, entry->read());
    }
    return all;
}

long live_frames() noexcept { return internal::live_frames(); }

namespace internal {

void register_loop(EventLoop& loop) {
    std::lock_guard lock(registry().mutex);
    registry().loops.push_back(&loop);
}

void unregister_loop(EventLoop& loop) noexcept {
    std::lock_guard lock(registry().mutex);
    std::erase(registry().loops, &loop);
}

}  // namespace internal
}  // namespace coracle
