package app

import (
	"context"
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
	p        *process
	src      router.Source
	gateway  *proxy.Gateway
	commands *stock.Commands
}

func newStockCommands(p *process, o proxy.Options, src router.Source) *stockCommands {
	c := &stockCommands{p: p, src: src}
	c.commands = stock.New(stock.Options{
		Auth:     backends.Auth{User: o.Upstream.User, Password: o.Upstream.Password},
		Topology: src.Topology,
		Extend:   func(o *command.Overlay) { c.gateway.Extend(o) },
		Log:      p.env.Log,
	})
	return c
}

// begin is for a gateway that has not started yet.
func (c *stockCommands) begin(gateway *proxy.Gateway) {
	c.gateway = gateway
	external := func(shard router.Shard) bool { return shard.Primary.External }
	if !slices.ContainsFunc(c.src.Topology().Shards, external) {
		return
	}
	ctx, cancel := context.WithTimeout(c.p.stack.ctx, firstLook)
	defer cancel()
	c.commands.Look(ctx)
}

// follow goes on until the process stops.
func (c *stockCommands) follow() error {
	started := make(chan struct{})
	close(started) // the gateway serves with what is known
	return c.p.stack.start("commands of stock servers", c.commands.Run, started)
}
