// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/headers.h>

#include <coracle/http/internal/chars.h>
#include <coracle/http/internal/scan.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <utility>

namespace coracle::http {

bool is_token(std::string_view text) noexcept {
    return !text.empty() && internal::all_of_class(text, internal::kToken);
}

namespace {

// The first byte that may not stand in a field value, or text.size().
std::size_t find_forbidden(std::string_view text) noexcept {
    const char* begin = text.data();
    const char* end = begin + text.size();
    for (const char* at = begin;; ++at) {
        at = internal::find<internal::ControlByte>(begin, at, end);
        if (at == end || *at != '\t') return static_cast<std::size_t>(at - begin);
    }
}

// A name as it may stand in a log: at most 64 visible characters of it.
std::string printable(std::string_view name) {
    std::string text;
    for (char byte : name.substr(0, 64)) {
        bool visible = byte > 0x20 && byte < 0x7F && byte != '"';
        text.push_back(visible ? byte : '?');
    }
    return text;
}

bool is_inside(const std::string& bytes, std::string_view view) noexcept {
    std::less<const char*> before;
    return !before(view.data(), bytes.data()) && before(view.data(), bytes.data() + bytes.size());
}

void check_field(std::string_view name, std::string_view value) {
    if (name.empty()) throw InvalidHeader("set header: its name is empty");
    if (!is_token(name))
        throw InvalidHeader("set header \"" + printable(name) + "\": the name is not a token");
    if (std::size_t at = find_forbidden(value); at != value.size()) {
        char byte[8];
        std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned char>(value[at]));
        throw InvalidHeader("set header \"" + printable(name) + "\": byte " + byte + " at offset " +
                            std::to_string(at) + " of the value");
    }
    if (name.size() + value.size() > 65535)
        throw InvalidHeader("set header \"" + printable(name) + "\": longer than 65535 bytes");
}

}  // namespace

bool is_field_value(std::string_view text) noexcept { return find_forbidden(text) == text.size(); }

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i] != right[i] && internal::to_lower(left[i]) != internal::to_lower(right[i]))
            return false;
    return true;
}

bool list_contains(std::string_view list, std::string_view token) noexcept {
    while (true) {
        std::size_t comma = list.find(',');
        if (equal_ignoring_case(internal::trim(list.substr(0, comma)), token)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

HeaderFields::HeaderFields(const HeaderFields& other) { *this = other; }

HeaderFields::HeaderFields(HeaderFields&& other) noexcept { *this = std::move(other); }

HeaderFields& HeaderFields::operator=(const HeaderFields& other) {
    if (this == &other) return *this;
    if (capacity_ < other.size_) {
        fields_ = std::make_unique_for_overwrite<HeaderField[]>(other.size_);
        capacity_ = other.size_;
    }
    std::copy_n(other.fields_.get(), other.size_, fields_.get());
    size_ = other.size_;
    present_ = other.present_;
    repeated_ = other.repeated_;
    first_ = other.first_;
    return *this;
}

HeaderFields& HeaderFields::operator=(HeaderFields&& other) noexcept {
    if (this == &other) return *this;
    fields_ = std::move(other.fields_);
    size_ = other.size_;
    capacity_ = std::exchange(other.capacity_, 0);
    present_ = other.present_;
    repeated_ = other.repeated_;
    first_ = other.first_;
    other.clear();
    return *this;
}

void HeaderFields::grow() {
    std::uint32_t wanted = std::max<std::uint32_t>(capacity_ * 2, 16);
    auto larger = std::make_unique_for_overwrite<HeaderField[]>(wanted);
    std::copy_n(fields_.get(), size_, larger.get());
    fields_ = std::move(larger);
    capacity_ = wanted;
}

std::size_t HeaderView::find(std::string_view name) const noexcept {
    if (!fields_) return HeaderFields::npos;
    if (KnownHeader known = known_header(name); known != KnownHeader::none)
        return fields_->find(known);
    for (std::size_t i = 0; i < fields_->size(); ++i)
        if ((*fields_)[i].known == KnownHeader::none && equal_ignoring_case((*this)[i].name, name))
            return i;
    return HeaderFields::npos;
}

std::optional<std::string_view> HeaderView::get(KnownHeader header) const noexcept {
    if (!contains(header)) return std::nullopt;
    return (*this)[fields_->find(header)].value;
}

std::optional<std::string_view> HeaderView::get(std::string_view name) const noexcept {
    std::size_t index = find(name);
    if (index == HeaderFields::npos) return std::nullopt;
    return (*this)[index].value;
}

std::string_view HeaderView::get(KnownHeader header, std::string_view fallback) const noexcept {
    return get(header).value_or(fallback);
}

std::string_view HeaderView::get(std::string_view name, std::string_view fallback) const noexcept {
    return get(name).value_or(fallback);
}

std::vector<std::string_view> HeaderView::get_all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (Field field : *this)
        if (equal_ignoring_case(field.name, name)) values.push_back(field.value);
    return values;
}

bool HeaderView::contains(std::string_view name) const noexcept {
    return find(name) != HeaderFields::npos;
}

Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    for (const auto& [name, value] : fields) add(name, value);
}

Headers::Headers(HeaderView fields) {
    for (Field field : fields) add(field.name, field.value);
}

void Headers::append(std::string_view name, std::string_view value) {
    // headers.add("B", headers.get("A", "")): the views would move with our own bytes.
    std::string name_copy;
    std::string value_copy;
    if (is_inside(bytes_, name)) name = name_copy = name;
    if (is_inside(bytes_, value)) value = value_copy = value;
    if (fields_.size() >= 65534 || bytes_.size() > 0x7FFFFFFF)
        throw InvalidHeader("add header: the map holds its maximum of 65534 fields");
    auto offset = static_cast<std::uint32_t>(bytes_.size());
    HeaderField field;
    field.name_offset = offset;
    field.name_size = static_cast<std::uint16_t>(name.size());
    field.value_offset = offset + field.name_size + 2;
    field.value_size = static_cast<std::uint32_t>(value.size());
    field.known = known_header(name);
    bytes_.reserve(bytes_.size() + name.size() + value.size() + 4);  // so that nothing throws below
    fields_.push_back(field);
    bytes_.append(name).append(": ").append(value).append("\r\n");
}

void Headers::add(std::string_view name, std::string_view value) {
    check_field(name, value);
    append(name, value);
}

bool Headers::set_default(std::string_view name, std::string_view value) {
    check_field(name, value);
    if (contains(name)) return false;
    append(name, value);
    return true;
}

void Headers::set(std::string_view name, std::string_view value) {
    check_field(name, value);
    if (contains(name)) {
        rebuild(name, value);
    } else {
        append(name, value);
    }
}

std::size_t Headers::remove(std::string_view name) {
    std::size_t before = size();
    if (contains(name)) rebuild(name, std::nullopt);
    return before - size();
}

void Headers::clear() noexcept {
    bytes_.clear();
    fields_.clear();
}

void Headers::rebuild(std::string_view name, std::optional<std::string_view> replacement) {
    // Built aside, so that `name` and the replacement may view this map, and a failure leaves it as
    // it was.
    Headers rebuilt;
    rebuilt.bytes_.reserve(bytes_.size() + (replacement ? replacement->size() : 0));
    for (Field field : *this) {
        if (!equal_ignoring_case(field.name, name)) {
            rebuilt.append(field.name, field.value);
        } else if (replacement) {
            rebuilt.append(name, *replacement);
            replacement.reset();
        }
    }
    *this = std::move(rebuilt);
}

}  // namespace coracle::http
