// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/cron.h>

#include <coracle/base/error.h>

#include <array>
#include <charconv>
#include <span>
#include <string>

namespace coracle {
namespace {

constexpr std::array<std::string_view, 12> month_names = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> weekday_names = {"SUN", "MON", "TUE", "WED",
                                                           "THU", "FRI", "SAT"};

struct Field {
    unsigned least;
    unsigned most;
    std::span<const std::string_view> names;  // of least, least+1, ...
};

constexpr std::array<Field, 5> fields = {{
    {0, 59, {}},
    {0, 23, {}},
    {1, 31, {}},
    {1, 12, month_names},
    {0, 7, weekday_names},
}};

bool equal_ignoring_case(std::string_view text, std::string_view upper) {
    if (text.size() != upper.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 32) : text[i];
        if (c != upper[i]) return false;
    }
    return true;
}

std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::optional<unsigned> value_of(std::string_view text, const Field& field) {
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (equal_ignoring_case(text, field.names[i])) {
            return field.least + static_cast<unsigned>(i);
        }
    }
    auto value = number(text);
    if (!value || *value < field.least || *value > field.most) return std::nullopt;
    return value;
}

// One element of a list: *, 5, 8-18, each with an optional /step. False if it is none.
bool add_element(std::string_view text, const Field& field, std::uint64_t& bits) {
    unsigned step = 1;
    std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        auto given = number(text.substr(slash + 1));
        if (!given || *given == 0 || *given > field.most) return false;
        step = *given;
        text = text.substr(0, slash);
    }
    unsigned from = field.least, to = field.most;
    if (text != "*") {
        std::size_t dash = text.find('-');
        auto first = value_of(text.substr(0, dash), field);
        if (!first) return false;
        from = to = *first;
        if (dash != std::string_view::npos) {
            auto last = value_of(text.substr(dash + 1), field);
            if (!last || *last < from) return false;
            to = *last;
        } else if (slash != std::string_view::npos) {
            return false;  // 5/10 means different things to different crons
        }
    }
    for (unsigned value = from; value <= to; value += step) bits |= std::uint64_t{1} << value;
    return true;
}

std::optional<std::uint64_t> parse_field(std::string_view text, const Field& field) {
    std::uint64_t bits = 0;
    for (;;) {
        std::size_t comma = text.find(',');
        if (!add_element(text.substr(0, comma), field, bits)) return std::nullopt;
        if (comma == std::string_view::npos) return bits;
        text.remove_prefix(comma + 1);
    }
}

std::string_view expand_word(std::string_view line) {
    if (line == "@hourly") return "0 * * * *";
    if (line == "@daily" || line == "@midnight") return "0 0 * * *";
    if (line == "@weekly") return "0 0 * * 0";
    if (line == "@monthly") return "0 0 1 * *";
    if (line == "@yearly" || line == "@annually") return "0 0 1 1 *";
    return line;
}

std::string_view next_word(std::string_view& line) {
    constexpr std::string_view blanks = " \t";
    std::size_t begin = line.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        line = {};
        return {};
    }
    line.remove_prefix(begin);
    std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

bool has_bit(std::uint64_t bits, unsigned value) { return (bits >> value & 1) != 0; }

}  // namespace

std::optional<Cron> Cron::try_parse(std::string_view line) {
    if (line.size() > length_max) return std::nullopt;
    line = expand_word(line);
    std::array<std::uint64_t, fields.size()> bits{};
    std::array<bool, fields.size()> any{};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        std::string_view word = next_word(line);
        auto parsed = parse_field(word, fields[i]);
        if (!parsed) return std::nullopt;
        bits[i] = *parsed;
        any[i] = word.front() == '*';
    }
    if (!next_word(line).empty()) return std::nullopt;
    Cron cron;
    cron.minutes_ = bits[0];
    cron.hours_ = static_cast<std::uint32_t>(bits[1]);
    cron.days_ = static_cast<std::uint32_t>(bits[2]);
    cron.months_ = static_cast<std::uint16_t>(bits[3]);
    cron.weekdays_ = static_cast<std::uint8_t>((bits[4] | bits[4] >> 7) & 0x7f);
    cron.either_day_ = !any[2] && !any[4];
    return cron;
}

Cron Cron::parse(std::string_view line) {
    auto cron = try_parse(line);
    if (!cron) {
        throw Error("\"" + std::string(line.substr(0, length_max)) +
                    "\" is no cron schedule: expected minute hour day month weekday");
    }
    return *cron;
}

bool Cron::matches_day(std::chrono::sys_days day) const noexcept {
    std::chrono::year_month_day date(day);
    if (!has_bit(months_, static_cast<unsigned>(date.month()))) return false;
    bool by_day = has_bit(days_, static_cast<unsigned>(date.day()));
    bool by_weekday = has_bit(weekdays_, std::chrono::weekday(day).c_encoding());
    return either_day_ ? by_day || by_weekday : by_day && by_weekday;
}

std::optional<std::chrono::sys_seconds> Cron::next(
    std::chrono::system_clock::time_point after) const {
    auto from = std::chrono::floor<std::chrono::minutes>(after) + std::chrono::minutes(1);
    auto day = std::chrono::floor<std::chrono::days>(from);
    auto minute = static_cast<unsigned>((from - day).count());
    // The 29th of February may be eight years away, and on a given weekday forty.
    constexpr int days_max = 41 * 366;
    for (int i = 0; i < days_max; ++i, day += std::chrono::days(1), minute = 0) {
        if (!matches_day(day)) continue;
        for (; minute < 24 * 60; ++minute) {
            if (!has_bit(hours_, minute / 60)) {
                minute += 59 - minute % 60;
            } else if (has_bit(minutes_, minute % 60)) {
                return std::chrono::sys_seconds(day + std::chrono::minutes(minute));
            }
        }
    }
    return std::nullopt;
}

}  // namespace coracle
