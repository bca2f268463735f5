// SPDX-License-Identifier: Apache-2.0
// Rows of web: requests, streamed responses, handlers, and an application's beginning and end.
#include "matrix.h"
#include "peer.h"

#include <coracle/web.h>
#include <coracle/web/json.h>
#include <coracle/web/runner.h>

#include <memory>
#include <optional>

namespace coracle::matrix {
namespace {

// An application whose handler hands its request out. The first call waits until the cell is over,
// later ones (a middleware's Next) for `event`.
class InHandler : public WaitsInside {
  public:
    Task<void> set_up(TaskGroup& helpers) override {
        helpers_ = &helpers;
        web::Application app;
        app.router().add_post("/", &InHandler::handle, *this);
        runner_ = std::make_unique<web::AppRunner>(std::move(app));
        co_await runner_->setup();
        auto listener = std::make_unique<testing::MemoryListener>(
            testing::MemoryStreamOptions{.capacity = 2 * Peer::capacity});
        peer_.connect(*listener);
        runner_->serve(std::move(listener));
        peer_.send(Peer::post_head);
        helpers.create_task(&InHandler::clean_up_at_end, this);
        co_await inside_.wait();
    }
    void release() override { leave_.set(); }

  protected:
    web::Request& request() { return *request_; }
    web::AppRunner& runner() { return *runner_; }
    TaskGroup& helpers() { return *helpers_; }

    Peer peer_;

  private:
    Task<web::Response> handle(web::Request& request) {
        if (request_) {
            co_await inner();
        } else {
            request_ = &request;
            inside_.set();
            co_await leave_.wait();
        }
        co_return web::text("done");
    }

    // A runner is cleaned up before it goes, also when the loop closes.
    Task<void> clean_up_at_end() {
        co_await try_finally([&]() -> Task<void> { co_await Event().wait(); },
                             [&]() -> Task<void> {
                                 runner_->hurry();
                                 co_await runner_->cleanup();
                             });
    }

    std::unique_ptr<web::AppRunner> runner_;
    TaskGroup* helpers_ = nullptr;
    web::Request* request_ = nullptr;
    Event inside_;
    Event leave_;
};

enum class Body { read, text, json };

class RequestBody final : public InHandler {
  public:
    explicit RequestBody(Body form) noexcept : form_(form) {}
    Task<void> await() override {
        std::size_t size = 4000;
        if (form_ == Body::read) {
            const std::string& body = co_await request().read();
            size = body.size();
        } else if (form_ == Body::text) {
            const std::string& body = co_await request().text();
            size = body.size();
        } else {
            auto value = co_await request().json();
            require(value.as_int64() == 7, "the body is another");
        }
        require(size == 4000, "bytes of the body were lost");
    }
    void complete() override { peer_.send_whole_body(); }

  private:
    Body form_;
};

class RequestReadany final : public InHandler {
  public:
    Task<void> await() override {
        std::string_view piece = co_await request().readany();
        read_ += piece.size();
    }
    void complete() override { peer_.send_body(); }
    void check(int) override { require(read_ == peer_.body_sent(), "bytes of the body were lost"); }

  private:
    std::size_t read_ = 0;
};

class StreamWrite final : public InHandler {
  public:
    explicit StreamWrite(std::size_t size) noexcept : size_(size) {}
    Task<void> set_up(TaskGroup& helpers) override {
        co_await InHandler::set_up(helpers);
        co_await stream_.prepare(request());
    }
    Task<void> await() override { co_await stream_.write(std::string(size_, 'x')); }
    void complete() override { helpers().create_task(&Peer::read_on, &peer_); }

  private:
    std::size_t size_;
    web::StreamResponse stream_;
};

// ---- what calls a handler

Task<web::Response> pass_on(web::Request& request, web::Next next) {
    auto response = co_await next(request);
    co_return response;
}

enum class Caller { handler, next, middleware };

class Calling final : public InHandler {
  public:
    explicit Calling(Caller form) noexcept : form_(form) {}
    Task<void> await() override {
        web::Handler handler([this](web::Request&) -> Task<web::Response> {
            co_await inner();
            co_return web::text("called");
        });
        web::Next next(runner().app(), 0);
        web::Middleware middleware(pass_on);
        if (form_ == Caller::handler) {
            auto response = co_await handler(request());
        } else if (form_ == Caller::next) {
            auto response = co_await next(request());
        } else {
            auto response = co_await middleware(request(), next);
        }
    }

  private:
    Caller form_;
};

// ---- an application's life

class StartedCall final : public Subject {
  public:
    Task<void> await() override {
        web::Started started(state_);
        co_await started();
    }
    void complete() override { state_.stop(); }
    void release() override { complete(); }

  private:
    web::internal::StartedState state_;
};

class RunnerSetup final : public WaitsInside {
  public:
    Task<void> await() override {
        web::Application app;
        app.on_startup().append([this](web::Application&) -> Task<void> { co_await inner(); });
        app.cleanup_ctx([this](web::Application&, web::Started started) -> Task<void> {
            ++up_;
            co_await started();
            --up_;
        });
        web::AppRunner runner(std::move(app));
        co_await runner.setup();
        co_await shield(runner.cleanup());
    }
    void check(int returned) override {
        WaitsInside::check(returned);
        require(up_ == 0, "a cleanup context was not ended");
    }

  private:
    int up_ = 0;
};

class RunnerCleanup final : public WaitsInside {
  public:
    Task<void> set_up(TaskGroup&) override {
        web::Application app;
        app.on_shutdown().append([this](web::Application&) -> Task<void> { co_await inner(); });
        app.on_cleanup().append([this](web::Application&) -> Task<void> {
            ++cleaned_;
            co_return;
        });
        runner_ = std::make_unique<web::AppRunner>(std::move(app));
        co_await runner_->setup();
    }
    Task<void> await() override { co_await runner_->cleanup(); }
    void release() override { complete(); }
    void check(int returned) override {
        WaitsInside::check(returned);
        require(cleaned_ == 1, "the clean-up was lost");
    }

  private:
    std::unique_ptr<web::AppRunner> runner_;
    int cleaned_ = 0;
};

}  // namespace

void add_web_rows(Matrix& matrix) {
    // They read piece by piece: what had come when they were cancelled is kept for the next call.
    const Traits in_pieces = {.result_wins = false};
    matrix.add<RequestBody>("web::Request::read()", in_pieces, {}, {}, Body::read);
    matrix.add<RequestBody>("web::Request::text()", in_pieces, {}, {}, Body::text);
    matrix.add<RequestBody>("web::Request::json()", in_pieces, {}, {}, Body::json);
    matrix.add<RequestReadany>("web::Request::readany()");

    matrix.add<StreamWrite>("web::StreamResponse::write(bytes)",
                            {.result_wins = false, .repeats = false}, {}, {}, Peer::more_than_fits);
    matrix.add<StreamWrite>("web::StreamResponse::write(bytes)", {.repeats = false},
                            never_waits("it fits into the connection's buffer"), "small",
                            std::size_t{10});
    const std::string fills = "never waits, see wire::Exchange";
    matrix.elsewhere.push_back({"web::StreamResponse::prepare(request)", fills});
    matrix.elsewhere.push_back({"web::StreamResponse::write_eof()", fills});

    matrix.add<Calling>("web::Handler::operator()(request)", {}, {}, {}, Caller::handler);
    matrix.add<Calling>("web::Next::operator()(request)", {}, {}, {}, Caller::next);
    matrix.add<Calling>("web::Middleware::operator()(request, next)", {}, {}, {},
                        Caller::middleware);

    const Traits uninterruptible = {.withdraws = false, .is_checkpoint = false};
    matrix.add<StartedCall>("web::Started::operator()()", uninterruptible);
    matrix.add<RunnerSetup>("web::AppRunner::setup()", {.result_wins = false});
    matrix.add<RunnerCleanup>("web::AppRunner::cleanup()", uninterruptible);
}

}  // namespace coracle::matrix
