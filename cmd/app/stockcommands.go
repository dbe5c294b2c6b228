package app

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"larder/backends"
	"larder/backends/stock"
	"larder/protocol/command"
	"larder/proxy"
	"larder/router"
)

// firstLook is how long a gateway that begins over stock servers waits for what they say of their commands: its first clients may need them.
const firstLook = 200 * time.Millisecond

// stockCommands keep a gateway told of the commands that the stock servers behind it have beside the table's.
type stockCommands struct {
	stack    *stack
	src      router.Source
	gateway  *proxy.Gateway
	commands *stock.Commands
}

// newStockCommands makes one for a gateway of those options; it lives in its stack. told: the source says which nodes are stock servers.
func newStockCommands(in *stack, o *proxy.Options, src router.Source, told bool, log *slog.Logger) *stockCommands {
	c := &stockCommands{stack: in, src: src}
	c.commands = stock.New(stock.Options{
		Auth:     backends.Auth{User: o.Upstream.User, Password: o.Upstream.Password},
		Topology: src.Topology,
		Told:     told,
		Extend:   func(o *command.Overlay) { c.gateway.Extend(o) },
		Log:      log,
	})
	return c
}

// begin is for a gateway that has not started yet.
func (c *stockCommands) begin(gateway *proxy.Gateway) {
	c.gateway = gateway
	if !external(c.src.Topology()) {
		return
	}
	ctx, cancel := context.WithTimeout(c.stack.ctx, firstLook)
	defer cancel()
	c.commands.Look(ctx)
}

// follow goes on until the process stops.
func (c *stockCommands) follow() error {
	started := make(chan struct{})
	close(started) // the gateway serves with what is known
	return c.stack.start("commands of stock servers", c.commands.Run, started)
}

// external tells whether a topology says that it has stock servers.
func external(t *router.Topology) bool {
	return slices.ContainsFunc(t.Shards, func(shard router.Shard) bool { return shard.Primary.External })
}
