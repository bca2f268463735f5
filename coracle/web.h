// SPDX-License-Identifier: Apache-2.0
// The web server: what `from aiohttp import web` gives, with the runtime.
#pragma once

#include <coracle/coracle.h>
#include <coracle/http/cookie.h>
#include <coracle/http/headers.h>
#include <coracle/http/method.h>
#include <coracle/http/query.h>
#include <coracle/http/status.h>
#include <coracle/http/url.h>
#include <coracle/web/application.h>
#include <coracle/web/handler.h>
#include <coracle/web/http_exceptions.h>
#include <coracle/web/json.h>
#include <coracle/web/middleware.h>
#include <coracle/web/request.h>
#include <coracle/web/response.h>
#include <coracle/web/route.h>
#include <coracle/web/router.h>
#include <coracle/web/run_app.h>
#include <coracle/web/started.h>
#include <coracle/web/storage.h>
#include <coracle/web/stream_response.h>
#include <coracle/web/worker_context.h>
