// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/internal/context.h>

#include <coracle/base/error.h>
#include <coracle/core/internal/task_node.h>

#include <utility>

namespace coracle::internal {
namespace {

thread_local Context::Loan* innermost_loan = nullptr;

}  // namespace

Context* Context::share(Context* context) noexcept {
    if (context) context->references_.fetch_add(1, std::memory_order_relaxed);
    return context;
}

void Context::release(Context* context) noexcept {
    if (context && context->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        delete context;
    }
}

Context::Loan::Loan(Context* context) noexcept
    : context_(context), outer_(std::exchange(innermost_loan, this)) {}

Context::Loan::~Loan() {
    innermost_loan = outer_;
    release(context_);
}

Context** Context::slot() noexcept {
    if (TaskNode* task = current_node()) return &task->context;
    return innermost_loan ? &innermost_loan->context_ : nullptr;
}

const void* Context::find(const void* key) noexcept {
    Context** own = slot();
    if (!own || !*own) return nullptr;
    for (const Entry& entry : (*own)->entries_) {
        if (entry.key == key) return entry.value.get();
    }
    return nullptr;
}

std::shared_ptr<const void> Context::exchange(const void* key, std::shared_ptr<const void> value) {
    Context** where = slot();
    if (!where) throw Error("a ContextVar is set within a task");
    Context*& own = *where;
    if (!own) {
        own = new Context;
    } else if (own->references_.load(std::memory_order_acquire) > 1) {
        release(std::exchange(own, new Context(own->entries_)));
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
