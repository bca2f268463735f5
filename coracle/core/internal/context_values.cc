// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/context_values.h>

#include <coracle/base/error.h>
#include <coracle/core/internal/task_node.h>
#include <coracle/core/loop.h>

#include <utility>

namespace coracle::internal {
namespace {

constinit thread_local EnteredContext* innermost = nullptr;

}  // namespace

EnteredContext::EnteredContext(ContextValues*& values) noexcept
    : values_(values), caller_(current_node()), outer_(std::exchange(innermost, this)) {}

EnteredContext::~EnteredContext() { innermost = outer_; }

ContextValues** ContextValues::here() noexcept {
    EventLoop* loop = EventLoop::current_or_null();
    TaskNode* task = loop ? loop->internal_running() : nullptr;
    if (innermost && innermost->caller_ == task) [[unlikely]]
        return &innermost->values_;
    return task ? &task->context : nullptr;
}

const void* ContextValues::find(const void* key) noexcept {
    ContextValues** own = here();
    if (!own || !*own) return nullptr;
    for (const Entry& entry : (*own)->entries_) {
        if (entry.key == key) return entry.value.get();
    }
    return nullptr;
}

std::shared_ptr<const void> ContextValues::exchange(const void* key,
                                                    std::shared_ptr<const void> value) {
    ContextValues** where = here();
    if (!where) throw Error("a ContextVar is set within a task or a Context");
    ContextValues*& own = *where;
    if (!own) {
        own = new ContextValues;
    } else if (own->references_.load(std::memory_order_acquire) > 1) {
        release(std::exchange(own, new ContextValues(own->entries_)));
    }
    auto& entries = own->entries_;
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        if (entry->key != key) continue;
        auto previous = std::exchange(entry->value, std::move(value));
        if (!entry->value) entries.erase(entry);
        return previous;
    }
    if (value) entries.push_back({key, std::move(value)});
    return nullptr;
}

}  // namespace coracle::internal
