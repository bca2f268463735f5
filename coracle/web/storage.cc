// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/storage.h>

#include <coracle/base/error.h>

#include <cxxabi.h>

#include <cstdlib>
#include <string>

namespace coracle::web::internal {

Storage& Storage::operator=(Storage&& other) noexcept {
    clear();
    entries_ = std::move(other.entries_);
    return *this;
}

void Storage::put(const std::type_info& type, std::string_view name, std::shared_ptr<void> object) {
    for (Entry& entry : entries_) {
        if (entry.name == name && *entry.type == type) {
            entry.object = std::move(object);
            return;
        }
    }
    entries_.push_back({&type, name, std::move(object)});
}

void* Storage::find(const std::type_info& type, std::string_view name) const noexcept {
    for (const Entry& entry : entries_) {
        if (entry.name == name && *entry.type == type) return entry.object.get();
    }
    return nullptr;
}

void Storage::clear() noexcept {
    while (!entries_.empty()) entries_.pop_back();
}

void throw_not_stored(const char* owner, const std::type_info& type, std::string_view name) {
    int status = 0;
    char* readable = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
    std::string text = std::string(owner) + " holds no " + (readable ? readable : type.name());
    std::free(readable);
    if (!name.empty()) text += " under the key '" + std::string(name) + "'";
    throw Error(text + ": emplace() or set() it before it is asked for");
}

}  // namespace coracle::web::internal
