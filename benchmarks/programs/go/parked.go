// Starts --size goroutines that park on one channel, and times it until the last one has parked.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A figure in KiB from /proc/self/status.
func status(name string) (kib uint64) {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name) {
			fmt.Sscanf(strings.TrimPrefix(line, name), "%d", &kib)
		}
	}
	return kib
}

func main() {
	size := flag.Int64("size", 1_000_000, "goroutines")
	workers := flag.Int("workers", runtime.NumCPU(), "GOMAXPROCS")
	flag.Parse()
	runtime.GOMAXPROCS(*workers)

	var begun, woken int64
	release := make(chan struct{})
	var done sync.WaitGroup
	rss, tables := status("VmRSS:"), status("VmPTE:")

	start := time.Now()
	done.Add(int(*size))
	for i := int64(0); i < *size; i++ {
		go func() {
			atomic.AddInt64(&begun, 1)
			<-release
			atomic.AddInt64(&woken, 1)
			done.Done()
		}()
	}
	for atomic.LoadInt64(&begun) != *size {
		runtime.Gosched()
	}
	seconds := time.Since(start).Seconds()
	rss, tables = status("VmRSS:")-rss, status("VmPTE:")-tables

	close(release)
	done.Wait()
	if woken != *size {
		fmt.Fprintln(os.Stderr, "a goroutine did not wake")
		os.Exit(2)
	}
	fmt.Printf(`{"system": "go", "workload": "parked", "workers": %d, "size": %d, "ops": %d, `+
		`"seconds": %.9f, "rss_kib": %d, "page_table_kib": %d}`+"\n",
		*workers, *size, *size, seconds, rss, tables)
}
