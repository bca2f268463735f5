// SPDX-License-Identifier: Apache-2.0
// Objects kept by their type, or by a key with a name: what an application and a request carry.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace coracle::web {

// Names one of several stored objects of a type. Two keys with the same name and type are the same.
//
//   inline constexpr web::AppKey<Database> users_db("users");
//   app.emplace(users_db, "users.sqlite");
//   auto& db = request.app().get(users_db);
template <class T>
class AppKey {
  public:
    // `name` must outlive the storage: a literal.
    explicit constexpr AppKey(std::string_view name) noexcept : name_(name) {}
    constexpr std::string_view name() const noexcept { return name_; }

  private:
    std::string_view name_;
};

namespace internal {

// Owns the objects and destroys them in the reverse order of their arrival. A look-up compares type
// after type: meant for tens of objects. A name must outlive the storage.
class Storage {
  public:
    Storage() = default;
    Storage(Storage&&) noexcept = default;
    Storage& operator=(Storage&& other) noexcept;
    ~Storage() { clear(); }

    // Builds the object in place, instead of one that was there under that key.
    template <class T, class... A>
    T& emplace(std::string_view name, A&&... arguments) {
        auto object = std::make_shared<T>(std::forward<A>(arguments)...);
        T& reference = *object;
        put(typeid(T), name, std::move(object));
        return reference;
    }
    void put(const std::type_info& type, std::string_view name, std::shared_ptr<void> object);

    // Null if there is none.
    void* find(const std::type_info& type, std::string_view name) const noexcept;

    bool empty() const noexcept { return entries_.empty(); }
    void clear() noexcept;

  private:
    struct Entry {
        const std::type_info* type;
        std::string_view name;
        std::shared_ptr<void> object;
    };
    std::vector<Entry> entries_;
};

// Throws Error: "OWNER holds no TYPE: ...".
[[noreturn]] void throw_not_stored(const char* owner, const std::type_info& type,
                                   std::string_view name);

// What set(value) keeps: the value, or for a shared pointer the object it points to.
template <class T>
struct Shared : std::false_type {};
template <class T>
struct Shared<std::shared_ptr<T>> : std::true_type {
    using Object = T;
};

}  // namespace internal
}  // namespace coracle::web
