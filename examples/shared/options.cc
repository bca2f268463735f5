// SPDX-License-Identifier: Apache-2.0
// Reads --host, --port and --workers with getopt_long.
#include "options.h"

#include <charconv>
#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <getopt.h>

namespace examples {

namespace {

constexpr unsigned workers_max = 256;

constexpr option names[] = {
    {"host", required_argument, nullptr, 'h'},
    {"port", required_argument, nullptr, 'p'},
    {"workers", required_argument, nullptr, 'w'},
    {"help", no_argument, nullptr, '?'},
    {},
};

void print_help(const char* program, const coracle::web::RunOptions& defaults) {
    std::printf(
        "%s [--host ADDRESS] [--port N] [--workers N]\n\n"
        "  --host     where to listen, default \"%.*s\"; \"\" is all interfaces\n"
        "  --port     default %u; 0 is one that is free\n"
        "  --workers  event loops, default %u\n",
        program, static_cast<int>(defaults.host.size()), defaults.host.data(), defaults.port,
        defaults.workers);
}

template <std::unsigned_integral T>
T number(const char* program, const char* name, T least, T most) {
    T value = 0;
    const char* end = optarg + std::strlen(optarg);
    auto [stopped, error] = std::from_chars(optarg, end, value);
    if (error != std::errc() || stopped != end || value < least || value > most) {
        std::fprintf(stderr, "%s: --%s wants a whole number from %u to %u, not '%s'\n", program,
                     name, static_cast<unsigned>(least), static_cast<unsigned>(most), optarg);
        std::exit(2);
    }
    return value;
}

}  // namespace

coracle::web::RunOptions options(int argc, char** argv, coracle::web::RunOptions defaults) {
    coracle::web::RunOptions chosen = defaults;
    const char* program = argv[0];
    opterr = 0;  // we say it ourselves
    for (int found; (found = getopt_long(argc, argv, "", names, nullptr)) != -1;) {
        switch (found) {
        case 'h':
            chosen.host = optarg;
            break;
        case 'p':
            chosen.port = number<std::uint16_t>(program, "port", 0, 65535);
            break;
        case 'w':
            chosen.workers = number<unsigned>(program, "workers", 1, workers_max);
            break;
        default:
            if (std::string_view(argv[optind - 1]) == "--help") {
                print_help(program, defaults);
                std::exit(0);
            }
            std::fprintf(stderr, "%s: cannot use '%s'; see --help\n", program, argv[optind - 1]);
            std::exit(2);
        }
    }
    if (optind < argc) {
        std::fprintf(stderr, "%s: cannot use '%s'; see --help\n", program, argv[optind]);
        std::exit(2);
    }
    return chosen;
}

}  // namespace examples
