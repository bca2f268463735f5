// SPDX-License-Identifier: Apache-2.0
#include <coracle/web/internal/file_sender.h>

#include <coracle/base/error.h>
#include <coracle/base/log.h>
#include <coracle/exec/run_in_executor.h>
#include <coracle/http/method.h>
#include <coracle/http/request_head.h>
#include <coracle/web/http_exceptions.h>
#include <coracle/web/internal/response_extra.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace coracle::web::internal {
namespace {

// One hop to a thread reads this much; a file that fits needs no second.
constexpr std::size_t first_bytes = 64 * 1024;
constexpr std::size_t piece_bytes = 256 * 1024;

class OpenFile {
  public:
    explicit OpenFile(int fd = -1) noexcept : fd_(fd) {}
    OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    OpenFile& operator=(OpenFile&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~OpenFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const noexcept { return fd_; }

  private:
    int fd_;
};

struct Start {
    int status = 200;  // or why it cannot be sent: 403, 404
    OpenFile file;
    std::uint64_t size = 0;
    std::string first;
};

// These run on a thread.

std::string read_piece(int fd, std::size_t size) {
    std::string piece(size, '\0');
    std::size_t got = 0;
    while (got < size) {
        ssize_t n = ::read(fd, piece.data() + got, size - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw SystemError("read a file for a response", errno);
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    piece.resize(got);
    return piece;
}

Start open_file(const std::string& path, bool read_first) {
    Start start;
    // O_NONBLOCK: opening a FIFO must not wait for its other end.
    start.file = OpenFile(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (start.file.fd() < 0) {
        int code = errno;
        if (code == EACCES || code == EPERM || code == ENXIO) {
            start.status = 403;
        } else if (code == ENOENT || code == ENOTDIR || code == ENAMETOOLONG || code == ELOOP) {
            start.status = 404;
        } else {
            throw SystemError("open '" + path + "' for a response", code);
        }
        return start;
    }
    struct stat status{};
    if (::fstat(start.file.fd(), &status) != 0) throw SystemError("stat '" + path + "'", errno);
    if (!S_ISREG(status.st_mode)) {
        start.status = 403;
        return start;
    }
    start.size = static_cast<std::uint64_t>(status.st_size);
    if (read_first) {
        start.first =
            read_piece(start.file.fd(),
                       static_cast<std::size_t>(std::min<std::uint64_t>(start.size, first_bytes)));
    }
    return start;
}

}  // namespace

wire::ResponseHead head_of(const Response& response) noexcept {
    wire::ResponseHead head;
    head.status = response.status();
    head.content_type = response.content_type();
    head.close = response.internal_close();
    if (const Response::Extra* extra = response.internal_extra()) {
        head.reason = extra->reason;
        if (!extra->headers.empty()) head.headers = &extra->headers;
    }
    return head;
}

Task<void> send_file(wire::Exchange& exchange, const Response& response) {
    bool is_head = exchange.request().method() == http::Method::HEAD;
    const std::string& path = response.internal_extra()->file_path;
    Start start = co_await to_thread(open_file, std::cref(path), !is_head);
    if (start.status != 200) {
        HTTPException refusal(start.status, {});
        Response answer = refusal.response();
        exchange.respond(head_of(answer), answer.body());
        co_return;
    }
    wire::ResponseHead head = head_of(response);
    if (!is_head && start.first.size() == start.size) {
        exchange.respond(head, start.first);
        co_return;
    }
    co_await exchange.begin(head, start.size);
    if (!is_head) {
        co_await exchange.write(start.first);
        std::uint64_t left = start.size - start.first.size();
        while (left > 0) {
            auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece_bytes));
            std::string piece = co_await to_thread(read_piece, start.file.fd(), size);
            if (piece.empty()) {
                log::error("web", "'" + path + "' became shorter while it was sent");
                throw wire::ConnectionLost("a file ended before the length that was announced");
            }
            left -= piece.size();
            co_await exchange.write(piece);
        }
    }
    co_await exchange.finish();
}

}  // namespace coracle::web::internal
