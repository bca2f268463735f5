// SPDX-License-Identifier: Apache-2.0
// Sequencer: steps of several tasks in a fixed order.
#pragma once

#include <coracle/core/event.h>
#include <coracle/core/task.h>

#include <map>
#include <utility>

namespace coracle::testing {

// Numbered steps, from 0: step n begins when the guard of step n-1 is gone, whichever tasks take
// them. Belongs to one loop; outlives its steps.
//
//   Sequencer sequence;
//   { auto step = co_await sequence.step(0); a(); }      // in one task
//   { auto step = co_await sequence.step(2); c(); }
//
//   { auto step = co_await sequence.step(1); b(); }      // in another
class Sequencer {
  public:
    class [[nodiscard]] Step {
      public:
        Step(Step&& other) noexcept : sequencer_(std::exchange(other.sequencer_, nullptr)) {}
        Step& operator=(Step&&) = delete;
        ~Step() {
            if (sequencer_) sequencer_->finish();
        }

      private:
        friend Sequencer;
        explicit Step(Sequencer& sequencer) noexcept : sequencer_(&sequencer) {}
        Sequencer* sequencer_;
    };

    // Waits for the turn of step `number`, which nobody else takes.
    Task<Step> step(int number);

  private:
    void finish();

    int current_ = 0;
    std::map<int, Event> waiting_;
};

}  // namespace coracle::testing
