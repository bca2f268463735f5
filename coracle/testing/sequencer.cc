// SPDX-License-Identifier: Apache-2.0
#include <coracle/testing/sequencer.h>

#include <coracle/base/assert.h>

namespace coracle::testing {

Task<Sequencer::Step> Sequencer::step(int number) {
    CORACLE_ASSERT(number >= current_);
    Event& turn = waiting_[number];
    if (number == current_) turn.set();
    co_await turn.wait();
    waiting_.erase(number);
    co_return Step(*this);
}

void Sequencer::finish() {
    ++current_;
    if (auto next = waiting_.find(current_); next != waiting_.end()) next->second.set();
}

}  // namespace coracle::testing
