// SPDX-License-Identifier: Apache-2.0
// The three system calls of every request, without what libc adds for pthread_cancel().
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

// The sanitizers learn from libc's functions what a call wrote, and which thread saw it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CORACLE_LIBC_CALLS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CORACLE_LIBC_CALLS 1
#endif
#endif
#if !defined(SYS_recvfrom) || !defined(SYS_sendto) || !defined(SYS_epoll_pwait)
#define CORACLE_LIBC_CALLS 1
#endif

namespace coracle::internal {

// Results, errno and EINTR are those of the function of that name. libc's own is a cancellation
// point: in a process with more than one thread it notes twice, atomically, that the thread may be
// cancelled, some forty instructions a call. Coracle cancels tasks, never threads.
inline ssize_t recv(int fd, void* into, std::size_t size) noexcept {
#ifdef CORACLE_LIBC_CALLS
    return ::recv(fd, into, size, 0);
#else
    return ::syscall(SYS_recvfrom, fd, into, size, 0, nullptr, nullptr);
#endif
}

inline ssize_t send(int fd, const void* bytes, std::size_t size) noexcept {
#ifdef CORACLE_LIBC_CALLS
    return ::send(fd, bytes, size, MSG_NOSIGNAL);
#else
    return ::syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, nullptr, 0);
#endif
}

inline int epoll_wait(int epoll, epoll_event* events, int count_max, int milliseconds) noexcept {
#ifdef CORACLE_LIBC_CALLS
    return ::epoll_wait(epoll, events, count_max, milliseconds);
#else
    return static_cast<int>(
        ::syscall(SYS_epoll_pwait, epoll, events, count_max, milliseconds, nullptr, 8));
#endif
}

}  // namespace coracle::internal
