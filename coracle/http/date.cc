// SPDX-License-Identifier: Apache-2.0
#include <coracle/http/date.h>

#include <coracle/http/internal/chars.h>

#include <algorithm>
#include <cstring>

namespace coracle::http {

namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> day_names = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_day_names = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void put_number(char* to, unsigned value, int width) noexcept {
    for (int i = width - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

// Takes a date apart from the left; the first part that is wrong spoils the rest.
class Reader {
  public:
    explicit Reader(std::string_view text) noexcept : text_(text) {}

    void literal(std::string_view expected) noexcept {
        if (!text_.starts_with(expected)) return fail();
        text_.remove_prefix(expected.size());
    }
    unsigned number(std::size_t digits) noexcept {
        if (text_.size() < digits) return fail(), 0;
        unsigned value = 0;
        for (char byte : text_.substr(0, digits)) {
            if (!internal::is_digit(byte)) return fail(), 0;
            value = value * 10 + static_cast<unsigned>(byte - '0');
        }
        text_.remove_prefix(digits);
        return value;
    }
    // Index of the name that stands here.
    template <std::size_t Count>
    unsigned name(const std::array<std::string_view, Count>& names) noexcept {
        for (unsigned i = 0; i < Count; ++i) {
            if (text_.starts_with(names[i])) {
                text_.remove_prefix(names[i].size());
                return i;
            }
        }
        return fail(), 0;
    }
    bool starts_with(char byte) const noexcept { return text_.starts_with(byte); }
    bool is_at_end() const noexcept { return good_ && text_.empty(); }

  private:
    void fail() noexcept {
        good_ = false;
        text_ = {};
    }

    std::string_view text_;
    bool good_ = true;
};

struct Parts {
    unsigned weekday = 0;
    unsigned day = 0;
    unsigned month = 0;
    int year = 0;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
};

void read_clock(Reader& reader, Parts& parts) noexcept {
    parts.hour = reader.number(2);
    reader.literal(":");
    parts.minute = reader.number(2);
    reader.literal(":");
    parts.second = reader.number(2);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_fixdate(std::string_view text, Parts& parts) noexcept {
    Reader reader(text);
    parts.weekday = reader.name(day_names);
    reader.literal(", ");
    parts.day = reader.number(2);
    reader.literal(" ");
    parts.month = reader.name(month_names) + 1;
    reader.literal(" ");
    parts.year = static_cast<int>(reader.number(4));
    reader.literal(" ");
    read_clock(reader, parts);
    reader.literal(" GMT");
    return reader.is_at_end();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
bool read_rfc850(std::string_view text, Parts& parts) noexcept {
    Reader reader(text);
    parts.weekday = reader.name(long_day_names);
    reader.literal(", ");
    parts.day = reader.number(2);
    reader.literal("-");
    parts.month = reader.name(month_names) + 1;
    reader.literal("-");
    parts.year = static_cast<int>(reader.number(2));
    reader.literal(" ");
    read_clock(reader, parts);
    reader.literal(" GMT");
    if (!reader.is_at_end()) return false;
    // A year that would lie more than 50 years ahead is of the century before.
    auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    int this_year = static_cast<int>(year_month_day(today).year());
    parts.year += this_year / 100 * 100;
    if (parts.year > this_year + 50) parts.year -= 100;
    return true;
}

// "Sun Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, Parts& parts) noexcept {
    Reader reader(text);
    parts.weekday = reader.name(day_names);
    reader.literal(" ");
    parts.month = reader.name(month_names) + 1;
    reader.literal(" ");
    if (reader.starts_with(' ')) {
        reader.literal(" ");
        parts.day = reader.number(1);
    } else {
        parts.day = reader.number(2);
    }
    reader.literal(" ");
    read_clock(reader, parts);
    reader.literal(" ");
    parts.year = static_cast<int>(reader.number(4));
    return reader.is_at_end();
}

}  // namespace

void format_date(sys_seconds time, char* to) noexcept {
    using namespace std::chrono;
    constexpr sys_seconds first = sys_days(year(0) / January / 1);
    constexpr sys_seconds last = sys_days(year(10000) / January / 1) - seconds(1);
    time = std::clamp(time, first, last);
    sys_days days = floor<std::chrono::days>(time);
    year_month_day date(days);
    auto clock = static_cast<unsigned>((time - days).count());

    std::memcpy(to, "Sun, 00 Jan 0000 00:00:00 GMT", date_size);
    std::memcpy(to, day_names[weekday(days).c_encoding()].data(), 3);
    put_number(to + 5, static_cast<unsigned>(date.day()), 2);
    std::memcpy(to + 8, month_names[static_cast<unsigned>(date.month()) - 1].data(), 3);
    put_number(to + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_number(to + 17, clock / 3600, 2);
    put_number(to + 20, clock / 60 % 60, 2);
    put_number(to + 23, clock % 60, 2);
}

std::string format_date(sys_seconds time) {
    std::string text(date_size, ' ');
    format_date(time, text.data());
    return text;
}

std::optional<sys_seconds> parse_date(std::string_view text) noexcept {
    Parts parts;
    if (!read_fixdate(text, parts) && !read_rfc850(text, parts) && !read_asctime(text, parts))
        return std::nullopt;
    year_month_day date{std::chrono::year(parts.year), std::chrono::month(parts.month),
                        std::chrono::day(parts.day)};
    // 60 is a leap second.
    if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60)
        return std::nullopt;
    sys_days days(date);
    if (std::chrono::weekday(days).c_encoding() != parts.weekday) return std::nullopt;
    return days + std::chrono::hours(parts.hour) + std::chrono::minutes(parts.minute) +
           std::chrono::seconds(parts.second);
}

}  // namespace coracle::http
