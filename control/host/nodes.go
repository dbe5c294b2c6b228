package host

import (
	"context"
	"errors"
	"strings"

	"larder/backends"
	"larder/router"
)

// ErrAtStart says that a parameter can only be given at the start.
var ErrAtStart = errors.New("it can only be given at the start")

// Managed asks managed nodes over the network.
type Managed struct{ Nodes *backends.Managed }

// Run implements Nodes.
func (m Managed) Run(ctx context.Context, addr string) (router.Run, error) {
	state, err := m.Nodes.State(ctx, addr)
	return state.Run, err
}

// Set implements Nodes.
func (m Managed) Set(ctx context.Context, addr, name, value string) error {
	err := m.Nodes.Set(ctx, addr, name, value)
	if refused := (*backends.Refused)(nil); errors.As(err, &refused) && strings.Contains(refused.Text, "can't set immutable config") {
		return ErrAtStart
	}
	return err
}
