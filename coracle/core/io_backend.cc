// SPDX-License-Identifier: Apache-2.0
#include <coracle/core/io_backend.h>

#include <coracle/core/loop.h>

#include <utility>

namespace coracle {

Descriptor::~Descriptor() { detach(); }

void Descriptor::attach() {
    if (backend_) return;
    IoBackend& backend = EventLoop::current().backend();
    backend.attach(*this);
    backend_ = &backend;
}

void Descriptor::detach() noexcept {
    if (backend_) std::exchange(backend_, nullptr)->detach(*this);
}

}  // namespace coracle
