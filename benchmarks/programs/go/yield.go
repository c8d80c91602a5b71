// --size goroutines on one processor, each yielding in turn.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

func main() {
	size := flag.Uint64("size", 2, "goroutines")
	ops := flag.Uint64("ops", 5_000_000, "yields of all")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	each := *ops / *size
	ready, yields := uint64(0), uint64(0)
	begin := false
	var done sync.WaitGroup
	done.Add(int(*size))
	for i := uint64(0); i < *size; i++ {
		go func() {
			// Every goroutine has its stack and has touched it before the clock starts.
			ready++
			for !begin {
				runtime.Gosched()
			}
			for n := uint64(0); n < each; n++ {
				runtime.Gosched()
			}
			yields += each
			done.Done()
		}()
	}
	for ready != *size {
		runtime.Gosched()
	}
	begin = true
	start := time.Now()
	done.Wait()
	seconds := time.Since(start).Seconds()

	if yields != *size*each {
		fmt.Fprintln(os.Stderr, "a goroutine did not finish")
		os.Exit(2)
	}
	fmt.Printf(`{"system": "go", "workload": "yield", "workers": 1, "size": %d, "ops": %d, `+
		`"seconds": %.9f}`+"\n", *size, yields, seconds)
}
