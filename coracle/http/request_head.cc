// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/request_head.h>

#include <coracle/http/internal/authority.h>
#include <coracle/http/internal/chars.h>
#include <coracle/http/internal/scan.h>

namespace coracle::http {

namespace {

// Length of "http://" or "https://" in any letter case at the front, 0 if neither is there.
std::size_t scheme_size(std::string_view target) noexcept {
    for (std::string_view scheme : {std::string_view("http://"), std::string_view("https://")})
        if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
    return 0;
}

}  // namespace

void RequestHead::split_query() noexcept {
    const char* begin = base_ + path_.offset;
    const char* end = begin + path_.size;
    const char* at = internal::find<internal::QueryOrPercent>(base_, begin, end);
    if (at == end) return;
    if (*at == '%') {
        path_is_encoded_ = true;
        while (at != end && *at != '?') ++at;
    }
    if (at != end) {
        has_query_ = true;
        path_.size = static_cast<std::uint32_t>(at - begin);
        query_ = Span{path_.offset + path_.size + 1, static_cast<std::uint32_t>(end - at) - 1};
    }
}

void RequestHead::release() noexcept {
    clear();
    fields_.release();
}

bool RequestHead::split_target() noexcept {
    std::string_view whole = target();
    if (whole.empty()) return false;
    path_ = target_;
    query_ = authority_ = Span();
    has_query_ = path_is_encoded_ = false;

    if (method_ == Method::CONNECT) {
        target_form_ = TargetForm::authority;
        authority_ = target_;
        path_ = Span{target_.offset, 0};
        internal::Authority parts;
        return internal::split_authority(whole, parts);
    }
    if (whole.front() == '/') {
        target_form_ = TargetForm::origin;
    } else if (whole == "*") {
        target_form_ = TargetForm::asterisk;
        return method_ == Method::OPTIONS;
    } else {
        std::size_t front = scheme_size(whole);
        if (front == 0) return false;
        target_form_ = TargetForm::absolute;
        std::size_t authority_end = std::min(whole.find_first_of("/?", front), whole.size());
        auto end = static_cast<std::uint32_t>(authority_end);
        authority_ = Span{target_.offset + static_cast<std::uint32_t>(front),
                          end - static_cast<std::uint32_t>(front)};
        path_ = Span{target_.offset + end, target_.size - end};
        internal::Authority parts;
        if (!internal::split_authority(authority(), parts)) return false;
    }

    split_query();
    return true;
}

bool build_request_head(const RequestParts& parts, std::string& storage, RequestHead& out) {
    out.clear();
    storage.clear();
    auto store = [&](std::string_view text) {
        RequestHead::Span span{static_cast<std::uint32_t>(storage.size()),
                               static_cast<std::uint32_t>(text.size())};
        storage.append(text);
        return span;
    };
    out.version_ = parts.version;
    out.method_ = parse_method(parts.method);
    out.method_text_ = store(parts.method);
    out.target_ = store(parts.target);
    RequestHead::Span authority = store(parts.authority);

    // Headers lie in their own bytes as they do on the wire; the offsets shift by what stands
    // before.
    auto shift = static_cast<std::uint32_t>(storage.size());
    if (parts.headers) {
        const char* wire = parts.headers->wire_bytes().data();
        storage.append(parts.headers->wire_bytes());
        for (HeaderView::Field field : *parts.headers) {
            HeaderField shifted;
            shifted.name_offset = shift + static_cast<std::uint32_t>(field.name.data() - wire);
            shifted.name_size = static_cast<std::uint16_t>(field.name.size());
            shifted.value_offset = shift + static_cast<std::uint32_t>(field.value.data() - wire);
            shifted.value_size = static_cast<std::uint32_t>(field.value.size());
            shifted.known = known_header(field.name);
            out.fields_.push_back(shifted);
        }
    }
    out.base_ = storage.data();

    const char* target = storage.data() + out.target_.offset;
    const char* target_end = target + out.target_.size;
    bool good = is_method(parts.method) && out.split_target() &&
                internal::find<internal::TargetEnd>(target, target, target_end) == target_end;
    if (good && out.authority_.size == 0) {
        out.authority_ = authority;
        if (std::size_t host = out.fields_.find(KnownHeader::host);
            authority.size == 0 && host != HeaderFields::npos) {
            const HeaderField& field = out.fields_[host];
            out.authority_ = RequestHead::Span{field.value_offset, field.value_size};
        }
        internal::Authority checked;
        good = out.authority_.size == 0 || internal::split_authority(out.authority(), checked);
    }
    if (!good) out.clear();
    return good;
}

}  // namespace coracle::http
