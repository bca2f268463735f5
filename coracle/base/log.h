// SPDX-License-Identifier: Apache-2.0
// The logging seam: every line Coracle writes goes through one replaceable function.
#pragma once

#include <functional>
#include <string_view>

namespace coracle::log {

enum class Level { debug, info, warning, error };

// Receives one event. `logger` names the source ("web", "access", "exec", ...). The text is one
// line: control bytes that came from a peer have been escaped. Called from any thread, so a sink
// must be thread-safe.
using Sink = std::function<void(Level level, std::string_view logger, std::string_view text)>;

// Replaces the sink; an empty one restores the default, which writes "time level logger text" to
// stderr.
void set_sink(Sink sink);

// Events below this level are dropped before they are formatted. The default is info.
void set_level(Level level);
bool is_enabled(Level level) noexcept;

// Writes one event. Bytes below 0x20 and 0x7f are written as \xNN (a tab is kept), so a peer cannot
// forge lines or drive a terminal; newlines are kept only in what write_block() is given.
void write(Level level, std::string_view logger, std::string_view text);

// The same for text of our own that spans lines, such as a task tree.
void write_block(Level level, std::string_view logger, std::string_view text);

inline void debug(std::string_view logger, std::string_view text) {
    write(Level::debug, logger, text);
}
inline void info(std::string_view logger, std::string_view text) {
    write(Level::info, logger, text);
}
inline void warning(std::string_view logger, std::string_view text) {
    write(Level::warning, logger, text);
}
inline void error(std::string_view logger, std::string_view text) {
    write(Level::error, logger, text);
}

}  // namespace coracle::log
