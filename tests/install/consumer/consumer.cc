// SPDX-License-Identifier: Apache-2.0
// The least a user's program can be: it includes, links and runs.
#include <coracle/base/clock.h>

int main() { return coracle::system_clock_source().now() == coracle::no_deadline; }
