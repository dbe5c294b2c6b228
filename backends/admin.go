// Package backends is the fleet as others see it: admin connections to one node, and the topology as the registry
// holds it. What must hold: nothing here is on a command's way; an Admin says one command and waits for its reply, so it
// belongs to one goroutine at a time; a Topologies may be asked by any goroutine. Gateways use it for health checks,
// cmd/app to publish and to watch topologies.
package backends

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/tidwall/resp"
)

// Auth is what a node wants to hear first. An empty password: nothing is said. An empty user: the default user's password.
type Auth struct {
	User     string
	Password string
}

// Admin is a connection to one node for single commands.
type Admin struct {
	addr string
	conn net.Conn
	in   *bufio.Reader // what replies reads from
	resp *resp.Reader
	out  *resp.Writer
}

// Reply is a node's answer: a text (strings and numbers), nothing (Null), or a list.
type Reply struct {
	Text string
	Null bool
	List []Reply
}

// Refused is an error that the node itself answered, in its own words; the connection is fine.
type Refused struct {
	Addr string
	Text string // "LOADING Redis is loading the dataset in memory"
}

func (e *Refused) Error() string { return fmt.Sprintf("node %s answers: %s", e.Addr, e.Text) }

// Dial connects to the node at addr and says AUTH if auth has a password. ctx bounds both. Errors: *Refused if the node
// does not take the password, else what the network said.
func Dial(ctx context.Context, addr string, auth Auth) (*Admin, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dial node %s: %w", addr, err)
	}
	in := bufio.NewReader(conn)
	a := &Admin{addr: addr, conn: conn, in: in, resp: resp.NewReader(in), out: resp.NewWriter(conn)}
	if err := a.login(ctx, auth); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return a, nil
}

func (a *Admin) login(ctx context.Context, auth Auth) error {
	if auth.Password == "" {
		return nil
	}
	words := []string{"AUTH", auth.Password}
	if auth.User != "" {
		words = []string{"AUTH", auth.User, auth.Password}
	}
	_, err := a.Do(ctx, words...)
	return err
}

// Do says one command and waits for its reply until ctx ends. Errors: *Refused for an error reply; after any other the
// connection is of no more use, and whether the command ran is unknown.
func (a *Admin) Do(ctx context.Context, words ...string) (Reply, error) {
	held := a.bound(ctx)
	reply, err := a.exchange(words)
	if !held() {
		return Reply{}, fmt.Errorf("%s at node %s: %w", words[0], a.addr, context.Cause(ctx))
	}
	if refused := (*Refused)(nil); err != nil && !errors.As(err, &refused) {
		return Reply{}, fmt.Errorf("%s at node %s: %w", words[0], a.addr, err)
	}
	return reply, err
}

func (a *Admin) exchange(words []string) (Reply, error) {
	values := make([]resp.Value, len(words))
	for i, word := range words {
		values[i] = resp.StringValue(word)
	}
	if err := a.out.WriteArray(values); err != nil {
		return Reply{}, err
	}
	// The reader takes a line that is no reply for an inline command; whoever answers so speaks another protocol.
	first, err := a.in.Peek(1)
	if err != nil {
		return Reply{}, err
	}
	switch first[0] {
	case '+', '-', ':', '$', '*':
	default:
		return Reply{}, fmt.Errorf("no Redis protocol: the answer begins with %q", first[0])
	}
	value, _, err := a.resp.ReadValue()
	if err != nil {
		return Reply{}, err
	}
	if value.Type() == resp.Error {
		return Reply{}, &Refused{Addr: a.addr, Text: value.String()}
	}
	return replyOf(value), nil
}

func replyOf(v resp.Value) Reply {
	if v.IsNull() {
		return Reply{Null: true}
	}
	if v.Type() != resp.Array {
		return Reply{Text: v.String()}
	}
	list := make([]Reply, len(v.Array()))
	for i, element := range v.Array() {
		list[i] = replyOf(element)
	}
	return Reply{List: list}
}

// Close ends the connection.
func (a *Admin) Close() error { return a.conn.Close() }
