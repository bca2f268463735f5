// SPDX-License-Identifier: Apache-2.0
// Rows of net, of observe and of testing's own awaiting functions.
#include "matrix.h"

#include <coracle/net/tcp.h>
#include <coracle/observe/lag.h>
#include <coracle/testing/memory_stream.h>
#include <coracle/testing/sequencer.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>

namespace coracle::matrix {
namespace {

// ---- streams: every byte that was sent is read once, or still there

// A stream whose peer is in the cell's hands.
class StreamPair : public Subject {
  protected:
    static constexpr std::size_t capacity = 8;
    static constexpr std::string_view word = "word";

    StreamPair() {
        auto [near, far] = testing::memory_stream_pair({.capacity = capacity});
        near_ = std::move(near);
        far_ = std::move(far);
    }
    std::unique_ptr<testing::MemoryStream> near_, far_;
};

class StreamRead final : public StreamPair {
  public:
    enum class Form { read, into, exactly };
    explicit StreamRead(Form form) noexcept : form_(form) {}

    Task<void> await() override {
        std::size_t count = 0;
        if (form_ == Form::into) {
            std::array<char, capacity> buffer;
            count = co_await near_->read_into(buffer);
        } else {
            Bytes bytes;
            if (form_ == Form::read) {
                bytes = co_await near_->read();
            } else {
                bytes = co_await near_->read_exactly(word.size());
            }
            count = bytes.size();
        }
        read_ += count;
    }
    void complete() override { written_ += far_->write_nowait(word).bytes(); }
    void check(int) override { require(read_ + near_->unread() == written_, "bytes were lost"); }

  private:
    Form form_;
    std::size_t read_ = 0;
    std::size_t written_ = 0;
};

class StreamReadToEnd final : public StreamPair {
  public:
    Task<void> await() override {
        Bytes bytes = co_await near_->read_to_end(100);
        require(bytes == word, "bytes were lost");
    }
    void complete() override {
        far_->write_nowait(word);
        far_->shutdown_write();
    }
};

class StreamWriteAll final : public StreamPair {
  public:
    Task<void> set_up(TaskGroup&) override {
        sent_ = near_->write_nowait(std::string(capacity, 'x')).bytes();
        co_return;
    }
    Task<void> await() override {
        co_await near_->write_all(Bytes(word));
        sent_ += word.size();
    }
    void complete() override {
        std::array<char, 100> buffer;
        while (true) {
            auto result = far_->read_nowait(buffer);
            if (!result.done()) break;
            received_ += result.bytes();
        }
    }
    void check(int) override {
        complete();
        require(received_ == sent_, "bytes were lost, or sent by a write that was cancelled");
    }

  private:
    std::size_t sent_ = 0;
    std::size_t received_ = 0;
};

// ---- listeners: every connection is accepted once, or still waits

class MemoryAccept final : public Subject {
  public:
    Task<void> await() override {
        auto stream = co_await listener_.accept();
        if (stream) ++accepted_;
    }
    void complete() override {
        clients_.push_back(listener_.connect());
        ++connected_;
    }
    void check(int) override { require(accepted_ == connected_, "a connection was lost"); }

  private:
    testing::MemoryListener listener_;
    std::vector<std::unique_ptr<testing::MemoryStream>> clients_;
    int accepted_ = 0;
    int connected_ = 0;
};

int open_descriptors() {
    DIR* folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder)) ++count;
    closedir(folder);
    return count;
}

// A socket that connects to the port, or tries to.
int connecting_socket(std::uint16_t port) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    void* any = &address;
    [[maybe_unused]] int result = ::connect(fd, static_cast<sockaddr*>(any), sizeof address);
    return fd;
}

// Closed at the latest with the subject.
class Sockets {
  public:
    Sockets() = default;
    Sockets(const Sockets&) = delete;
    Sockets& operator=(const Sockets&) = delete;
    ~Sockets() {
        for (int fd : fds_) ::close(fd);
    }
    void add(int fd) { fds_.push_back(fd); }
    std::size_t size() const { return fds_.size(); }

  private:
    std::vector<int> fds_;
};

class TcpAccept final : public Subject {
  public:
    Task<void> await() override {
        auto stream = co_await listener_.accept();
        if (stream) ++accepted_;
    }
    void complete() override { clients_.add(connecting_socket(listener_.port())); }
    void check(int) override { require(accepted_ == clients_.size(), "a connection was lost"); }

  private:
    net::TcpListener listener_{"127.0.0.1", 0};
    Sockets clients_;
    std::size_t accepted_ = 0;
};

// The listener's queue is full, so the kernel drops what comes: connecting waits.
class TcpConnect final : public Subject {
  public:
    explicit TcpConnect(bool by_name) noexcept : by_name_(by_name) {}
    Task<void> set_up(TaskGroup&) override {
        constexpr int fill = 3;
        for (int i = 0; i < fill; ++i) full_.add(connecting_socket(listener_.port()));
        descriptors_ = open_descriptors();
        co_return;
    }
    Task<void> await() override {
        if (by_name_) {
            co_await net::open_connection("localhost", listener_.port());
        } else {
            co_await net::connect(listener_.bound_address());
        }
    }
    void check(int) override {
        require(open_descriptors() == descriptors_, "a descriptor was leaked");
    }

  private:
    net::TcpListener listener_{"127.0.0.1", 0, {.backlog = 0}};
    Sockets full_;
    bool by_name_;
    int descriptors_ = 0;
};

// ---- observe and testing

class LagRun final : public Subject {
  public:
    Task<void> await() override { co_await monitor_.run(); }

  private:
    LoopLagMonitor monitor_;
};

class SequencerStep final : public Subject {
  public:
    Task<void> set_up(TaskGroup&) override { first_.emplace(co_await sequence_.step(0)); }
    Task<void> await() override {
        auto step = co_await sequence_.step(next_);
        ++next_;
    }
    void complete() override { first_.reset(); }

  private:
    testing::Sequencer sequence_;
    std::optional<testing::Sequencer::Step> first_;
    int next_ = 1;
};

}  // namespace

void add_net_rows(Matrix& matrix) {
    using Form = StreamRead::Form;
    matrix.add<StreamRead>("net::Stream::read(limit)", {}, {}, {}, Form::read);
    matrix.add<StreamRead>("net::Stream::read_into(into)", {}, {}, {}, Form::into);
    matrix.add<StreamRead>("net::Stream::read_exactly(count)", {}, {}, {}, Form::exactly);
    // It reads on until the end, so a cancellation wins; what it had read is dropped, as
    // documented.
    matrix.add<StreamReadToEnd>("net::Stream::read_to_end(limit)",
                                {.result_wins = false, .repeats = false});
    matrix.add<StreamWriteAll>("net::Stream::write_all(bytes)");

    matrix.add<MemoryAccept>("testing::MemoryListener::accept()");
    matrix.add<TcpAccept>("net::TcpListener::accept()",
                          {.result_wins = false, .needs_sockets = true});
    matrix.elsewhere.push_back(
        {"net::Listener::accept()", "abstract; see net::TcpListener and testing::MemoryListener"});
    const std::string late =
        "a connect() that has to wait completes a second later at best, when "
        "the kernel tries again";
    const Without connecting = {{Column::same_instant, late}, {Column::under_shield, late}};
    const Traits connects = {.repeats = false, .needs_sockets = true};
    matrix.add<TcpConnect>("net::connect(address)", connects, connecting, {}, false);
    matrix.add<TcpConnect>("net::open_connection(host, port)", connects, connecting, {}, true);

    const std::string endless = "it ends by cancellation only";
    matrix.add<LagRun>("LoopLagMonitor::run()", {.repeats = false},
                       {{Column::same_instant, endless}, {Column::under_shield, endless}});
    matrix.add<SequencerStep>("testing::Sequencer::step(number)");
    matrix.elsewhere.push_back(
        {"testing::wait_all_tasks_blocked()",
         "it waits for what the matrix itself waits with; see virtual_loop_test.cc"});
}

}  // namespace coracle::matrix
