package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// untilSignal gives a context that ends with the first SIGINT or SIGTERM. A second one then ends the process at once, as it does without us: from before the
// context ends, so that who sees its end may say so.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer close(ended)
		var why error
		select {
		case s := <-signals:
			why = fmt.Errorf("%s signal received", s)
		case <-ctx.Done():
		}
		signal.Stop(signals)
		cancel(why)
	}()
	signal.Ignore(syscall.SIGXFSZ) // a file that may not grow any more is an error of the write, which is dealt with, and no reason to die
	return ctx, func() {
		cancel(nil)
		<-ended
	}
}
