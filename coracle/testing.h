// SPDX-License-Identifier: Apache-2.0
// The test kit: virtual time, streams in memory, schedules by seed.
#pragma once

#include <coracle/coracle.h>
#include <coracle/testing/memory_stream.h>
#include <coracle/testing/seeds.h>
#include <coracle/testing/sequencer.h>
#include <coracle/testing/virtual_loop.h>
