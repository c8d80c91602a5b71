// Workers square numbers, until there are no more.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

func square(ctx context.Context, jobs <-chan int,
	results chan<- int) {
	for job := range jobs {
		select {
		case results <- job * job:
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	ctx, cancel := context.WithTimeout(
		context.Background(), time.Minute)
	defer cancel()

	jobs := make(chan int)
	results := make(chan int, 4)
	var workers sync.WaitGroup
	for i := 0; i < 3; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			square(ctx, jobs, results)
		}()
	}
	go func() {
		for i := 1; i <= 10; i++ {
			jobs <- i
		}
		close(jobs)
	}()
	go func() {
		workers.Wait()
		close(results)
	}()
	sum := 0
	for result := range results {
		sum += result
	}
	fmt.Println("sum of squares:", sum)

	_, ok := <-results
	fmt.Println("more results:", ok)

	silent := make(chan int)
	select {
	case number := <-silent:
		fmt.Println(number)
	default:
		fmt.Println("nothing there")
	}
	select {
	case number := <-silent:
		fmt.Println(number)
	case <-time.After(10 * time.Millisecond):
		fmt.Println("nothing came")
	}

	last := make(chan string)
	go func() {
		select {
		case <-silent:
		case <-ctx.Done():
			last <- "told to stop"
		}
	}()
	cancel()
	fmt.Println(<-last)
}
