// A select that receives from four channels, of which one, another each time, has a value. An
// operation is the send that makes it ready, and the select.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	ops := flag.Uint64("ops", 5_000_000, "selects")
	workers := flag.Int("workers", 1, "GOMAXPROCS")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)

	var all [4]chan uint64
	for i := range all {
		all[i] = make(chan uint64, 1)
	}
	a, b, c, d := all[0], all[1], all[2], all[3]
	sum := uint64(0)
	start := time.Now()
	for i := uint64(0); i < *ops; i++ {
		all[i%4] <- i
		select {
		case n := <-a:
			sum += n
		case n := <-b:
			sum += n
		case n := <-c:
			sum += n
		case n := <-d:
			sum += n
		}
	}
	seconds := time.Since(start).Seconds()

	if sum != *ops*(*ops-1)/2 {
		fmt.Fprintln(os.Stderr, "a value was lost")
		os.Exit(2)
	}
	fmt.Printf(`{"system": "go", "workload": "select", "workers": %d, "size": 4, "ops": %d, `+
		`"seconds": %.9f}`+"\n", *workers, *ops, seconds)
}
