package steward

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/internal/clients"
	"larder/protocol/resp"
	"larder/router"
)

// door is the way to a node: a connection, if there is one.
type door struct {
	node Node
	wire *clients.Wire
}

// visit gives a node the record as an order, asks for its promise if that is wanted, and has it say how it is. An error closes the connection.
func (d *door) visit(record *router.Record, exited []router.Run, within time.Duration) (r report, err error) {
	if d.wire == nil {
		if d.wire, err = clients.Open(d.node.Addr); err != nil {
			return r, err
		}
	}
	defer func() {
		if err != nil {
			d.wire.Close()
			d.wire = nil
		}
	}()
	r.at = time.Now()
	order := []string{"LARDER", "RECORD", record.Line()}
	for _, p := range d.node.Peers {
		order = append(order, p.Name+"="+p.Addr)
	}
	reply, err := d.wire.DoWithin(within, order...)
	if err != nil {
		return r, err
	}
	if text, isError := resp.ErrorOf(reply); isError && !strings.HasPrefix(string(text), "STALE ") {
		return r, fmt.Errorf("order to %s: %s", d.node.Name, text)
	}
	if err := d.ask(&r, within); err != nil {
		return r, err
	}
	if record.State != router.Electing || !record.Member(r.run) {
		return r, nil
	}
	return r, d.promise(&r, record, exited, within)
}

// ask has the node say how it is.
func (d *door) ask(r *report, within time.Duration) error {
	said, err := d.fields(within, "LARDER", "STATE")
	if err != nil {
		return err
	}
	if line := text(said["record"]); line != "" {
		known, err := router.ParseRecord(line)
		if err != nil {
			return err
		}
		r.epoch = known.Epoch
	}
	r.run, r.role, r.executed = runOf(said["run"]), text(said["role"]), number(said["executed"])
	for it := resp.Elements(said["confirmed"]); it.Left() > 0; {
		run, _ := it.Next()
		r.confirmed = append(r.confirmed, runOf(run))
	}
	for it := resp.Elements(said["followers"]); it.Left() > 0; {
		run, _ := it.Next()
		_, _ = it.Next() // how far it is
		r.followers = append(r.followers, runOf(run))
	}
	return nil
}

func runOf(value []byte) router.Run {
	node, id, _ := strings.Cut(text(value), "@")
	return router.Run{Node: node, ID: id}
}

// promise asks a member to promise the epoch of the record.
func (d *door) promise(r *report, record *router.Record, exited []router.Run, within time.Duration) error {
	words := []string{"LARDER", "PROMISE", record.Line()}
	if len(exited) > 0 {
		words = append(words, "EXITED")
		for _, run := range exited {
			words = append(words, run.Node+"@"+run.ID)
		}
	}
	said, err := d.fields(within, words...)
	if errors.Is(err, errRefused) { // it is still loading, or knows a newer record
		return nil
	}
	if err != nil {
		return err
	}
	r.promised, r.executed = uint64(number(said["promised"])), number(said["offset"])
	return nil
}

// errRefused is of a node that answers with an error.
var errRefused = errors.New("refused")

// fields is a reply that is a map, as a flat array.
func (d *door) fields(within time.Duration, words ...string) (map[string][]byte, error) {
	reply, err := d.wire.DoWithin(within, words...)
	if err != nil {
		return nil, err
	}
	if text, isError := resp.ErrorOf(reply); isError {
		return nil, fmt.Errorf("%w: %s says to %s: %s", errRefused, d.node.Name, words[1], text)
	}
	said := map[string][]byte{}
	for it := resp.Elements(reply); ; {
		name, ok := it.Next()
		if !ok {
			return said, nil
		}
		value, _ := it.Next()
		said[text(name)] = slices.Clone(value)
	}
}

func text(value []byte) string {
	b, _ := resp.Value(value).Bytes()
	return string(b)
}

func number(value []byte) int64 {
	n, _ := strconv.ParseInt(text(value), 10, 64)
	return n
}
