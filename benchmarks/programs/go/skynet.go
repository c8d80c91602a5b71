// A tree of ten children a node with --size leaves, whose numbers are summed up: each node a
// goroutine that answers on the channel of its parent. The fastest of --rounds counts.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"
)

func node(answer chan uint64, first, size uint64) {
	if size == 1 {
		answer <- first
		return
	}
	sums := make(chan uint64)
	for i := uint64(0); i < 10; i++ {
		go node(sums, first+i*(size/10), size/10)
	}
	sum := uint64(0)
	for i := 0; i < 10; i++ {
		sum += <-sums
	}
	answer <- sum
}

func main() {
	size := flag.Uint64("size", 1_000_000, "leaves")
	rounds := flag.Int("rounds", 3, "runs")
	workers := flag.Int("workers", runtime.NumCPU(), "GOMAXPROCS")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)

	best := math.Inf(1)
	for round := 0; round < *rounds; round++ {
		answer := make(chan uint64)
		start := time.Now()
		go node(answer, 0, *size)
		sum := <-answer
		best = math.Min(best, time.Since(start).Seconds())
		if sum != *size*(*size-1)/2 {
			fmt.Fprintln(os.Stderr, "a leaf was lost")
			os.Exit(2)
		}
	}
	fmt.Printf(`{"system": "go", "workload": "skynet", "workers": %d, "size": %d, "ops": %d, `+
		`"seconds": %.9f}`+"\n", *workers, *size, *size, best)
}
