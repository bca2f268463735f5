// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/h1/standing_fields.h>

#include <coracle/http/date.h>
#include <coracle/http/headers.h>

namespace coracle::http::h1 {

StandingFields::StandingFields(std::string_view server) {
    if (!is_field_value(server)) {
        throw InvalidHeader("the server's name holds a byte that no header may have");
    }
    if (!server.empty()) text_ = "Server: " + std::string(server) + "\r\n";
    server_size_ = text_.size();
}

void StandingFields::set_time(std::chrono::sys_seconds now) {
    if (now == formatted_) return;
    text_.resize(server_size_);
    char date[date_size];  // not a string: this happens in the middle of a request
    format_date(now, date);
    text_ += "Date: ";
    text_.append(date, date_size);
    text_ += "\r\n";
    formatted_ = now;
}

}  // namespace coracle::http::h1
