// SPDX-License-Identifier: Apache-2.0
// The same as coracle.cc in Go, on one processor (GOMAXPROCS=1) but for wake.
//
//	micro [-work NAME] [-share 0.01]      prints {"NAME": NANOSECONDS, ...}
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	children    = 100
	timersLive  = 100_000
	timersATurn = 1000
)

func sumTo(count int) int { return count * (count + 1) / 2 }

// Every operation adds to a sum that is known beforehand.
func require(work string, sum, expected int) {
	if sum != expected {
		fail(fmt.Sprintf("%s: the operations gave %d instead of %d", work, sum, expected))
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}

func each(took time.Duration, count int) float64 {
	return float64(took.Nanoseconds()) / float64(count)
}

//go:noinline
func child(n int) int { return n }

//go:noinline
func add(sum *int, n int) { *sum += n }

//go:noinline
func childWithin(_ context.Context, n int) int { return n }

func await(count int) float64 {
	sum, began := 0, time.Now()
	for i := 1; i <= count; i++ {
		sum += child(i)
	}
	took := time.Since(began)
	require("await", sum, sumTo(count))
	return each(took, count)
}

func spawn(count int) float64 {
	var group sync.WaitGroup
	sum, began := 0, time.Now()
	for i := 1; i <= count; i++ {
		n := i
		group.Add(1)
		go func() {
			add(&sum, n)
			group.Done()
		}()
		group.Wait()
	}
	took := time.Since(began)
	require("spawn", sum, sumTo(count))
	return each(took, count)
}

func spawn100(count int) float64 {
	groups := (count + children - 1) / children
	sum, began := 0, time.Now()
	for i := 0; i < groups; i++ {
		var group sync.WaitGroup
		for n := 1; n <= children; n++ {
			n := n
			group.Add(1)
			go func() {
				add(&sum, n)
				group.Done()
			}()
		}
		group.Wait()
	}
	took := time.Since(began)
	require("spawn_100", sum, groups*sumTo(children))
	return each(took, groups*children)
}

func switchTasks(count int) float64 {
	half, turns := (count+1)/2, 0
	var group sync.WaitGroup
	began := time.Now()
	for i := 0; i < 2; i++ {
		group.Add(1)
		go func() {
			for n := 0; n < half; n++ {
				runtime.Gosched()
				turns++
			}
			group.Done()
		}()
	}
	group.Wait()
	took := time.Since(began)
	require("switch", turns, 2*half)
	return each(took, 2*half)
}

func queue(count int) float64 {
	questions, answers := make(chan int, 1), make(chan int, 1)
	go func() {
		for question := range questions {
			answers <- question
		}
	}()
	sum, began := 0, time.Now()
	for i := 1; i <= count; i++ {
		questions <- i
		sum += <-answers
	}
	took := time.Since(began)
	close(questions)
	require("queue", sum, sumTo(count))
	return each(took, count)
}

func timeOut(count int) float64 {
	parent := context.Background()
	sum, began := 0, time.Now()
	for i := 1; i <= count; i++ {
		within, cancel := context.WithTimeout(parent, 5*time.Second)
		sum += childWithin(within, i)
		cancel()
	}
	took := time.Since(began)
	require("timeout", sum, sumTo(count))
	return each(took, count)
}

// How far away timers are: 60 to 120 seconds, scattered, the same sequence in every language.
func scatteredDelays() []time.Duration {
	delays, state := make([]time.Duration, 4096), uint32(1)
	for i := range delays {
		state = state*1664525 + 1013904223
		delays[i] = 60*time.Second + 14*time.Duration(state)
	}
	return delays
}

func liveTimers(delays []time.Duration, fired *int) []*time.Timer {
	live := make([]*time.Timer, timersLive)
	for i := range live {
		live[i] = time.AfterFunc(delays[i%len(delays)], func() { *fired++ })
	}
	return live
}

func drop(work string, live []*time.Timer, fired int) {
	for _, timer := range live {
		timer.Stop()
	}
	require(work, fired, 0)
}

func timer(count int) float64 {
	delays, fired, stopped := scatteredDelays(), 0, 0
	live := liveTimers(delays, &fired)
	began := time.Now()
	for i := 1; i <= count; i++ {
		oldest := live[i%timersLive]
		if oldest.Stop() {
			stopped++
		}
		oldest.Reset(delays[i%len(delays)])
		if i%timersATurn == 0 {
			runtime.Gosched()
		}
	}
	took := time.Since(began)
	require("timer", stopped, count)
	drop("timer", live, fired)
	return each(took, count)
}

func callLater(count int) float64 {
	delays, fired, stopped := scatteredDelays(), 0, 0
	live := liveTimers(delays, &fired)
	began := time.Now()
	for i := 1; i <= count; i++ {
		if time.AfterFunc(delays[i%len(delays)], func() { fired++ }).Stop() {
			stopped++
		}
		if i%timersATurn == 0 {
			runtime.Gosched()
		}
	}
	took := time.Since(began)
	require("call_later", stopped, count)
	drop("call_later", live, fired)
	return each(took, count)
}

type coreSet [16]uint64

func (set *coreSet) call(number uintptr) {
	_, _, err := syscall.RawSyscall(number, 0, unsafe.Sizeof(*set), uintptr(unsafe.Pointer(set)))
	if err != 0 {
		fail("sched_affinity: " + err.Error())
	}
}

// Keeps the goroutine on a thread of its own, on the first or the last core that the process has.
func takeCore(allowed coreSet, last bool) {
	chosen := -1
	for core := 0; core < 64*len(allowed); core++ {
		if allowed[core/64]>>(core%64)&1 == 1 && (chosen < 0 || last) {
			chosen = core
		}
	}
	var one coreSet
	one[chosen/64] = 1 << (chosen % 64)
	runtime.LockOSThread()
	one.call(syscall.SYS_SCHED_SETAFFINITY)
}

func wake(count int) float64 {
	var allowed coreSet
	allowed.call(syscall.SYS_SCHED_GETAFFINITY)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	there, back, result := make(chan int), make(chan int), make(chan float64)
	go func() {
		takeCore(allowed, true)
		for n := range there {
			back <- n
		}
	}()
	go func() {
		takeCore(allowed, false)
		sum, began := 0, time.Now()
		for i := 1; i <= count; i++ {
			there <- i
			sum += <-back
		}
		took := time.Since(began)
		close(there)
		require("wake", sum, sumTo(count))
		result <- each(took, count)
	}()
	return <-result
}

func main() {
	works := []struct {
		name    string
		count   int
		measure func(int) float64
	}{
		{"await", 100_000_000, await},
		{"spawn", 700_000, spawn},
		{"spawn_100", 1_000_000, spawn100},
		{"switch", 3_000_000, switchTasks},
		{"queue", 1_000_000, queue},
		{"timeout", 300_000, timeOut},
		{"timer", 1_000_000, timer},
		{"call_later", 1_000_000, callLater},
		{"wake", 5_000, wake},
	}
	only := flag.String("work", "", "one work instead of all")
	share := flag.Float64("share", 1, "of a full repetition")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	told := map[string]float64{}
	for _, work := range works {
		if *only != "" && *only != work.name {
			continue
		}
		count := int(*share * float64(work.count))
		if count < 1 {
			count = 1
		}
		warm := count / 10
		if warm < 1 {
			warm = 1
		}
		work.measure(warm)
		told[work.name] = work.measure(count)
	}
	if len(told) == 0 {
		fail("micro: no work '" + *only + "' here")
	}
	text, err := json.Marshal(told)
	if err != nil {
		fail(err.Error())
	}
	fmt.Println(string(text))
}
