// --size goroutines that sleep for an hour, each on a timer of its own, and are woken at once by a
// channel of its own: an operation is to arm a timer, to cancel it, and what a goroutine does for
// that. Every goroutine has its stack, and waits, before the clock starts.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	size := flag.Int64("size", 1_000_000, "goroutines")
	workers := flag.Int("workers", 1, "GOMAXPROCS")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)

	var begun, done sync.WaitGroup
	var asleep, woken int64
	begin := make(chan struct{})
	stops := make([]chan struct{}, *size)
	begun.Add(int(*size))
	done.Add(int(*size))
	for i := range stops {
		stop := make(chan struct{})
		stops[i] = stop
		go func() {
			begun.Done()
			<-begin
			atomic.AddInt64(&asleep, 1)
			timer := time.NewTimer(time.Hour)
			select {
			case <-timer.C:
			case <-stop:
				timer.Stop()
				atomic.AddInt64(&woken, 1)
			}
			done.Done()
		}()
	}
	begun.Wait()
	start := time.Now()
	close(begin)
	for atomic.LoadInt64(&asleep) != *size {
		runtime.Gosched()
	}
	for _, stop := range stops {
		close(stop)
	}
	done.Wait()
	seconds := time.Since(start).Seconds()

	if woken != *size {
		fmt.Fprintln(os.Stderr, "a goroutine was not woken")
		os.Exit(2)
	}
	fmt.Printf(`{"system": "go", "workload": "sleepers", "workers": %d, "size": %d, "ops": %d, `+
		`"seconds": %.9f}`+"\n", *workers, *size, *size, seconds)
}
