// SPDX-License-Identifier: Apache-2.0
#include <coracle/base/log.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace coracle::log {
namespace {

std::atomic<Level> threshold{Level::info};

// Held through a shared pointer so that a sink being replaced may still be running on another
// thread.
struct SinkSlot {
    std::mutex mutex;
    std::shared_ptr<const Sink> sink;
};

SinkSlot& slot() {
    static SinkSlot* instance = new SinkSlot;  // never destroyed: late threads may still log
    return *instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
    case Level::debug:
        return spdlog::level::debug;
    case Level::info:
        return spdlog::level::info;
    case Level::warning:
        return spdlog::level::warn;
    case Level::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
}

spdlog::logger& default_logger() {
    static spdlog::logger* instance = [] {
        auto* logger =
            new spdlog::logger("coracle", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
        logger->set_level(spdlog::level::trace);
        logger->flush_on(spdlog::level::trace);
        return logger;
    }();
    return *instance;
}

bool is_control(char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

std::string escaped(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(text.size() + 16);
    for (char c : text) {
        if (!is_control(c)) {
            out += c;
            continue;
        }
        auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

void emit(Level level, std::string_view logger, std::string_view text) {
    std::shared_ptr<const Sink> sink;
    {
        std::lock_guard lock(slot().mutex);
        sink = slot().sink;
    }
    if (sink) {
        (*sink)(level, logger, text);
    } else {
        default_logger().log(to_spdlog(level), "{} {}", logger, text);
    }
}

}  // namespace

void set_sink(Sink sink) {
    auto next = sink ? std::make_shared<const Sink>(std::move(sink)) : nullptr;
    std::lock_guard lock(slot().mutex);
    slot().sink = std::move(next);
}

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }
bool is_enabled(Level level) noexcept { return level >= threshold.load(std::memory_order_relaxed); }

void write(Level level, std::string_view logger, std::string_view text) {
    if (!is_enabled(level)) return;
    bool clean = true;
    for (char c : text) clean = clean && !is_control(c);
    if (clean) {
        emit(level, logger, text);
    } else {
        emit(level, logger, escaped(text));
    }
}

void write_block(Level level, std::string_view logger, std::string_view text) {
    if (is_enabled(level)) emit(level, logger, text);
}

}  // namespace coracle::log
