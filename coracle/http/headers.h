// SPDX-License-Identifier: Apache-2.0
// Header fields: the parsed ones that point into a buffer, and the owned ones that a response is
// built from.
#pragma once

#include <coracle/base/error.h>
#include <coracle/http/known_header.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::http {

// A header name or value that may not go on the wire. The message names the header and the
// offending byte, never the value.
class InvalidHeader : public Error {
  public:
    using Error::Error;
};

// Where one field lies in its buffer. Offsets, not pointers, so that the buffer may move.
struct HeaderField {
    std::uint32_t name_offset;
    std::uint32_t value_offset;
    std::uint32_t value_size;
    std::uint16_t name_size;
    KnownHeader known;
};

// The fields of one message in order of arrival, and for each known header the place of its first
// field. Holds no bytes. clear() keeps the memory for the next message; release() gives it back (an
// idle connection).
class HeaderFields {
  public:
    HeaderFields() noexcept = default;
    HeaderFields(const HeaderFields& other);
    HeaderFields(HeaderFields&& other) noexcept;
    HeaderFields& operator=(const HeaderFields& other);
    HeaderFields& operator=(HeaderFields&& other) noexcept;

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const HeaderField& operator[](std::size_t index) const noexcept { return fields_[index]; }

    // Index of the first field of that known header, or `npos`. Not for KnownHeader::none.
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    std::size_t find(KnownHeader header) const noexcept {
        return (present_ & bit(header)) != 0 ? first_[static_cast<std::size_t>(header)] : npos;
    }
    // The known headers that are there, and those that are there more than once: one bit each.
    std::uint64_t present() const noexcept { return present_; }
    std::uint64_t repeated() const noexcept { return repeated_; }
    static constexpr std::uint64_t bit(KnownHeader header) noexcept {
        return std::uint64_t{1} << static_cast<unsigned>(header);
    }

    // At most 65,534 fields (the limits of every codec lie far below).
    void push_back(const HeaderField& field) {
        next() = field;
        commit(field.known);
    }
    // The same in two steps: a place to fill, and its announcement.
    HeaderField& next() {
        if (size_ == capacity_) grow();
        return fields_[size_];
    }
    void commit(KnownHeader header) noexcept {
        const std::uint32_t index = size_++;
        if (header == KnownHeader::none) return;
        const std::uint64_t known = bit(header);
        if ((present_ & known) == 0) {
            present_ |= known;
            first_[static_cast<std::size_t>(header)] = static_cast<std::uint16_t>(index);
        } else {
            repeated_ |= known;
        }
    }
    void clear() noexcept {
        size_ = 0;
        present_ = repeated_ = 0;
    }
    void release() noexcept { *this = HeaderFields(); }

  private:
    void grow();

    std::unique_ptr<HeaderField[]> fields_;
    std::uint32_t size_ = 0;
    std::uint32_t capacity_ = 0;
    std::uint64_t present_ = 0;
    std::uint64_t repeated_ = 0;
    std::array<std::uint16_t, known_header_count> first_{};  // index, where present_ says so
};
static_assert(known_header_count <= 64);

// Looks at the fields of a message without owning them: two words, passed by value. Names are
// compared without regard to ASCII case. Values have their outer blanks removed and are otherwise
// the bytes that arrived, which may be any but controls (TAB excepted): not necessarily UTF-8.
//
// Valid, with everything it returns, as long as the message and its buffer stay where they are.
class HeaderView {
  public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };

    HeaderView() noexcept = default;
    HeaderView(const char* base, const HeaderFields& fields) noexcept
        : base_(base), fields_(&fields) {}

    std::size_t size() const noexcept { return fields_ ? fields_->size() : 0; }
    bool empty() const noexcept { return size() == 0; }
    Field operator[](std::size_t index) const noexcept { return at(base_, (*fields_)[index]); }

    // What the name at that index is known as.
    KnownHeader known(std::size_t index) const noexcept { return (*fields_)[index].known; }

    // Value of the first field of that name.
    std::optional<std::string_view> get(KnownHeader header) const noexcept;
    std::optional<std::string_view> get(std::string_view name) const noexcept;
    std::string_view get(KnownHeader header, std::string_view fallback) const noexcept;
    std::string_view get(std::string_view name, std::string_view fallback) const noexcept;

    // Values of all fields of that name, in order.
    std::vector<std::string_view> get_all(std::string_view name) const;

    bool contains(KnownHeader header) const noexcept {
        return fields_ && fields_->find(header) != HeaderFields::npos;
    }
    bool contains(std::string_view name) const noexcept;

    class Iterator {
      public:
        using value_type = Field;
        using difference_type = std::ptrdiff_t;
        Iterator() noexcept = default;
        Field operator*() const noexcept { return at(base_, (*fields_)[index_]); }
        Iterator& operator++() noexcept {
            ++index_;
            return *this;
        }
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++index_;
            return before;
        }
        bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

      private:
        friend class HeaderView;
        Iterator(const HeaderView& view, std::size_t index) noexcept
            : base_(view.base_), fields_(view.fields_), index_(index) {}

        const char* base_ = nullptr;
        const HeaderFields* fields_ = nullptr;
        std::size_t index_ = 0;
    };
    Iterator begin() const noexcept { return {*this, 0}; }
    Iterator end() const noexcept { return {*this, size()}; }

  private:
    static Field at(const char* base, const HeaderField& field) noexcept {
        return {{base + field.name_offset, field.name_size},
                {base + field.value_offset, field.value_size}};
    }
    std::size_t find(std::string_view name) const noexcept;

    const char* base_ = nullptr;
    const HeaderFields* fields_ = nullptr;
};

// An ordered multimap of header fields that owns its bytes; names keep their spelling and compare
// without regard to ASCII case. An empty one allocates nothing, a filled one two blocks however
// many fields it has.
//
// No value that could break the message can be set: a name that is not a token (RFC 9110
// section 5.6.2), or a value with CR, LF, NUL or another control byte except TAB, throws
// InvalidHeader and leaves the map as it was. One line is at most 64 KiB, the map at most 65,534
// fields; more throws InvalidHeader. Views it hands out are valid until the next change.
//
//     Headers headers;
//     headers.set("Cache-Control", "no-store");
//     headers.add("Set-Cookie", cookie.str());
class Headers {
  public:
    using Field = HeaderView::Field;

    Headers() = default;
    // {{"Accept", "text/html"}, {"Accept", "text/plain"}}: each is added.
    Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);
    explicit Headers(HeaderView fields);

    // Replaces every field of that name; the new one takes the place of the first.
    void set(std::string_view name, std::string_view value);
    // Appends a field, keeping others of that name.
    void add(std::string_view name, std::string_view value);
    // Adds the field unless one of that name exists; true if it did.
    bool set_default(std::string_view name, std::string_view value);
    // Removes every field of that name; how many there were.
    std::size_t remove(std::string_view name);
    void clear() noexcept;

    std::size_t size() const noexcept { return fields_.size(); }
    bool empty() const noexcept { return fields_.empty(); }
    Field operator[](std::size_t index) const noexcept { return view()[index]; }
    std::optional<std::string_view> get(KnownHeader header) const noexcept {
        return view().get(header);
    }
    std::optional<std::string_view> get(std::string_view name) const noexcept {
        return view().get(name);
    }
    std::string_view get(KnownHeader header, std::string_view fallback) const noexcept {
        return view().get(header, fallback);
    }
    std::string_view get(std::string_view name, std::string_view fallback) const noexcept {
        return view().get(name, fallback);
    }
    std::vector<std::string_view> get_all(std::string_view name) const {
        return view().get_all(name);
    }
    bool contains(KnownHeader header) const noexcept { return view().contains(header); }
    bool contains(std::string_view name) const noexcept { return view().contains(name); }
    HeaderView::Iterator begin() const noexcept { return view().begin(); }
    HeaderView::Iterator end() const noexcept { return view().end(); }

    HeaderView view() const noexcept { return {bytes_.data(), fields_}; }
    operator HeaderView() const noexcept { return view(); }

    // All fields as they go on the wire, "Name: value\r\n" each; for the writer.
    std::string_view wire_bytes() const noexcept { return bytes_; }

  private:
    void append(std::string_view name, std::string_view value);
    // Without the fields of that name, or with `replacement` in place of the first of them.
    void rebuild(std::string_view name, std::optional<std::string_view> replacement);

    std::string bytes_;
    HeaderFields fields_;
};

// True for a token (RFC 9110 section 5.6.2), which is what a field name must be.
bool is_token(std::string_view text) noexcept;
// True for bytes that may stand in a field value: TAB, and 0x20 to 0xFF except DEL.
bool is_field_value(std::string_view text) noexcept;
// Compares without regard to ASCII case.
bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept;
// True if `list` (comma-separated, blanks around) holds `token` in any letter case: `Connection:
// keep-alive, Upgrade`.
bool list_contains(std::string_view list, std::string_view token) noexcept;

}  // namespace coracle::http
