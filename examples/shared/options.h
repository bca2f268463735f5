// SPDX-License-Identifier: Apache-2.0
// Command line of the examples: --host, --port and --workers, the same for all of them.
#pragma once

#include <coracle/web/run_app.h>

namespace examples {

// `defaults` with what the command line says instead. --help prints the options and exits with 0; a
// command line that makes no sense is answered with one sentence on stderr and exit code 2.
//
//   return web::run_app(make_app, examples::options(argc, argv, {.port = 8001}));
//
// The options refer to argv.
coracle::web::RunOptions options(int argc, char** argv, coracle::web::RunOptions defaults = {});

}  // namespace examples
