// One goroutine sends numbers to another through a channel that holds --size of them; an operation
// is one number sent and received.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	size := flag.Uint64("size", 128, "capacity")
	items := flag.Uint64("ops", 10_000_000, "items")
	workers := flag.Int("workers", 1, "GOMAXPROCS")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)

	c := make(chan uint64, *size)
	start := time.Now()
	go func() {
		for i := uint64(0); i < *items; i++ {
			c <- i
		}
		close(c)
	}()
	sum := uint64(0)
	for n := range c {
		sum += n
	}
	seconds := time.Since(start).Seconds()

	if sum != *items*(*items-1)/2 {
		fmt.Fprintln(os.Stderr, "an item was lost")
		os.Exit(2)
	}
	fmt.Printf(`{"system": "go", "workload": "buffered", "workers": %d, "size": %d, "ops": %d, `+
		`"seconds": %.9f}`+"\n", *workers, *size, *items, seconds)
}
