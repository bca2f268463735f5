// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/worker_context.h>

#include <mutex>
#include <string>
#include <vector>

namespace coracle::web {

class WorkerContext::Registry {
  public:
    ~Registry() {
        while (!entries_.empty()) entries_.pop_back();
    }

    // Held while an object is made, so that the other workers wait for it.
    std::shared_ptr<void> find_or_make(const std::type_info& type, std::string_view name,
                                       MoveFunction<std::shared_ptr<void>()>& make) {
        std::lock_guard lock(mutex_);
        for (const Entry& entry : entries_) {
            if (entry.name == name && *entry.type == type) return entry.object;
        }
        entries_.push_back({&type, std::string(name), make()});
        return entries_.back().object;
    }

  private:
    struct Entry {
        const std::type_info* type;
        std::string name;
        std::shared_ptr<void> object;
    };
    std::recursive_mutex mutex_;  // a factory may ask for another shared object
    std::vector<Entry> entries_;
};

WorkerContext::WorkerContext(std::size_t index, std::size_t count,
                             std::shared_ptr<Registry> registry)
    : index_(index), count_(count), registry_(std::move(registry)) {}

std::shared_ptr<WorkerContext::Registry> WorkerContext::make_registry() {
    return std::make_shared<Registry>();
}

std::shared_ptr<void> WorkerContext::find_or_make(const std::type_info& type, std::string_view name,
                                                  MoveFunction<std::shared_ptr<void>()> make) {
    return registry_->find_or_make(type, name, make);
}

}  // namespace coracle::web
