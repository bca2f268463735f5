// SPDX-License-Identifier: Apache-2.0
// HTTP dates (RFC 9110 section 5.6.7).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace coracle::http {

inline constexpr std::size_t date_size = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

// Writes the date_size bytes of that moment, without a terminator. Years 0 to 9999; a moment
// outside is clamped.
void format_date(std::chrono::sys_seconds time, char* to) noexcept;
std::string format_date(std::chrono::sys_seconds time);

// Reads an IMF-fixdate, and the two obsolete forms that recipients must accept (RFC 850 dates,
// whose two-digit year is taken as at most 50 years from now, and asctime). Exactly these: another
// blank, a wrong day of the week or a day the month lacks is no date.
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) noexcept;

}  // namespace coracle::http
