// --size goroutines count under one mutex, each as often as it can.
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
	size := flag.Int("size", 4, "goroutines")
	workers := flag.Int("workers", 1, "GOMAXPROCS")
	ops := flag.Int("ops", 4_000_000, "increments")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)
	each := *ops / *size

	var mutex sync.Mutex
	count := 0
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(*size)
	done.Add(*size)
	for i := 0; i < *size; i++ {
		go func() {
			ready.Done()
			<-begin
			for n := 0; n < each; n++ {
				mutex.Lock()
				count++
				mutex.Unlock()
			}
			done.Done()
		}()
	}
	ready.Wait()

	start := time.Now()
	close(begin)
	done.Wait()
	seconds := time.Since(start).Seconds()

	if count != *size*each {
		fmt.Fprintln(os.Stderr, "an increment was lost")
		os.Exit(2)
	}
	fmt.Printf(`{"system": "go", "workload": "mutex", "workers": %d, "size": %d, "ops": %d, `+
		`"seconds": %.9f}`+"\n", *workers, *size, count, seconds)
}
