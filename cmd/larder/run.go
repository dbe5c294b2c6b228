package main

import (
	"context"
	"os/signal"
	"syscall"
)

// untilSignal gives a context that ends with the first SIGINT or SIGTERM. A second one then ends the process at once,
// as it does without us.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	signal.Ignore(syscall.SIGXFSZ) // a file that may not grow any more is an error of the write, which is dealt with, and no reason to die
	return ctx, stop
}
