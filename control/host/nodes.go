package host

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"larder/backends"
	"larder/router"
)

// ErrAtStart says that a parameter can only be given at the start.
var ErrAtStart = errors.New("it can only be given at the start")

// Dialled asks nodes by connections of their own, with what they want to hear first.
type Dialled struct{ Auth backends.Auth }

// Run implements Nodes.
func (d Dialled) Run(ctx context.Context, addr string) (router.Run, error) {
	reply, err := d.do(ctx, addr, "LARDER", "STATE")
	if err != nil {
		return router.Run{}, err
	}
	for i := 0; i+1 < len(reply.List); i += 2 {
		if reply.List[i].Text == "run" {
			return router.ParseRun(reply.List[i+1].Text)
		}
	}
	return router.Run{}, fmt.Errorf("node %s does not tell its run", addr)
}

// Set implements Nodes.
func (d Dialled) Set(ctx context.Context, addr, name, value string) error {
	_, err := d.do(ctx, addr, "CONFIG", "SET", name, value)
	if refused := (*backends.Refused)(nil); errors.As(err, &refused) && strings.Contains(refused.Text, "immutable") {
		return ErrAtStart
	}
	return err
}

func (d Dialled) do(ctx context.Context, addr string, words ...string) (backends.Reply, error) {
	admin, err := backends.Dial(ctx, addr, d.Auth)
	if err != nil {
		return backends.Reply{}, err
	}
	defer admin.Close()
	return admin.Do(ctx, words...)
}
