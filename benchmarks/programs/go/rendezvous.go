// Two goroutines hand a number back and forth over two channels without a buffer; an operation is
// one hop.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	hops := flag.Uint64("ops", 5_000_000, "hops")
	workers := flag.Int("workers", 1, "GOMAXPROCS")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)

	there, back, done := make(chan uint64), make(chan uint64), make(chan bool)
	go func() {
		for n := range there {
			back <- n + 1
		}
		done <- true
	}()

	start := time.Now()
	n := uint64(0)
	for n < *hops {
		there <- n + 1
		n = <-back
	}
	seconds := time.Since(start).Seconds()

	close(there)
	<-done
	if n != *hops/2*2 {
		fmt.Fprintln(os.Stderr, "a hop was lost")
		os.Exit(2)
	}
	fmt.Printf(`{"system": "go", "workload": "rendezvous", "workers": %d, "size": 2, "ops": %d, `+
		`"seconds": %.9f}`+"\n", *workers, n, seconds)
}
