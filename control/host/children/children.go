// Package children starts nodes as processes of their own, which go on when the one that started them has ended, and finds them again.
//
// What must hold: no node is started while one of its name runs, whoever started it: a node holds the lock of its folder as long as it lives, and a process that
// has not come so far yet is known by its number and the moment of its start. No process is sent a signal but a node. Children's methods may be called from any
// goroutine; Run notices what ends and keeps logs short, and leaves nodes running when it ends.
package children

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"larder/control/host"
)

// Options say how nodes are started. All fields but Flags must be given.
type Options struct {
	Command   []string // the binary, and the words before a node's flags
	Env       []string // nodes' whole environment
	Dir       string   // each node has a folder of its own in it
	Lock      string   // the name of the file in a node's folder that it locks, and that has its process's number
	Listen    string   // the host part of the address that nodes listen on
	Advertise string   // of the one that they are reached at
	PortFirst int      // nodes take ports from this one
	PortLast  int      // to this one
	LogMax    int64    // bytes of a node's log, after which it begins anew; the one before stays
	Flags     func(parameters map[string]string) []string
	Log       *slog.Logger
	Chance    *rand.Rand // for ports; guarded by the same lock as all else
}

// Names in a node's folder, beside its own.
const (
	recordName = "process.json"
	logName    = "node.log"
	logBefore  = "node.log.1"
	folderMode = 0o700
	logMode    = 0o600
)

// Children starts nodes. It implements host.Starter.
type Children struct {
	o Options

	mu    sync.Mutex // of what follows
	nodes map[string]*child
}

// New makes one that knows of nothing that runs.
func New(o Options) *Children { return &Children{o: o, nodes: map[string]*child{}} }

func (c *Children) folder(node string) string { return filepath.Join(c.o.Dir, node) }

// known gives the process of a node that runs as far as is known.
func (c *Children) known(node string) *child {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[node]
}

// Find implements host.Starter.
func (c *Children) Find(_ context.Context, node string) (host.Process, error) {
	if p := c.known(node); p != nil {
		select {
		case <-p.ended:
		default:
			return p, nil
		}
	}
	found, err := c.search(node)
	if err != nil || found == nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[node] = found
	return found, nil
}

// search looks for a node's process that this one did not start.
func (c *Children) search(node string) (*child, error) {
	dir := c.folder(node)
	r, err := readRecord(filepath.Join(dir, recordName))
	if err != nil {
		return nil, err
	}
	if r.PID != 0 {
		if p, err := c.adopt(node, r); p != nil || err != nil {
			return p, err
		}
	}
	pid, err := holder(filepath.Join(dir, c.o.Lock))
	if err != nil || pid == 0 {
		return nil, err
	}
	if r.Addr == "" {
		return nil, fmt.Errorf("process %d has the folder %s, and no host has started it: end it", pid, dir)
	}
	r.PID = pid
	port, err := listens(pid)
	if err == nil {
		r.Start, err = started(pid)
	}
	if err != nil {
		return nil, fmt.Errorf("process %d has the folder %s: %w", pid, dir, err)
	}
	if port != "" { // what is written may be of one that was started after it and found the folder in use
		r.Addr = net.JoinHostPort(c.o.Advertise, port)
	}
	return c.adopt(node, r)
}

// adopt gives the process that a record says, nil if it runs no more.
func (c *Children) adopt(node string, r record) (*child, error) {
	p, err := os.FindProcess(r.PID) // it stays that process, whoever gets the number next
	if err != nil {
		return nil, err
	}
	start, err := started(r.PID)
	if err != nil {
		return nil, err
	}
	if start == "" || start != r.Start {
		return nil, p.Release()
	}
	return &child{node: node, record: r, process: p, ended: make(chan struct{}), log: filepath.Join(c.folder(node), logName)}, nil
}

// Start implements host.Starter.
func (c *Children) Start(_ context.Context, l host.Launch) (host.Process, error) {
	dir := c.folder(l.Node)
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	port, err := c.port(l.Node, l.Addr)
	if err != nil {
		return nil, err
	}
	p := &child{
		node: l.Node, record: record{Addr: net.JoinHostPort(c.o.Advertise, strconv.Itoa(port))}, own: true, ended: make(chan struct{}),
		log: filepath.Join(dir, logName),
	}
	name := filepath.Join(dir, recordName)
	if had, err := readRecord(name); err != nil || had.Addr != p.Addr() { // who finds the process by its lock needs to know where it is
		if err := p.record.write(name); err != nil {
			return nil, err
		}
	}
	if err := c.launch(p, l, port); err != nil {
		return nil, err
	}
	c.nodes[l.Node] = p
	if err := p.record.write(name); err != nil {
		c.o.Log.Warn("the number of a node's process cannot be remembered: it is found by its lock", "node", l.Node, "error", err)
	}
	return p, nil
}

// launch starts the process.
func (c *Children) launch(p *child, l host.Launch, port int) error {
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, logMode)
	if err != nil {
		return err
	}
	defer out.Close()
	if p.said, err = out.Seek(0, 2); err != nil {
		return err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	words := append([]string{}, c.o.Command...)
	words = append(words,
		"--managed", "--node-id", l.Node, "--dir", filepath.Dir(p.log), "--listen", net.JoinHostPort(c.o.Listen, strconv.Itoa(port)),
		"--maxmemory", strconv.FormatInt(l.MaxMemory, 10))
	if c.o.Flags != nil {
		words = append(words, c.o.Flags(l.Parameters)...)
	}
	p.process, err = os.StartProcess(words[0], words, &os.ProcAttr{
		Env: c.o.Env, Files: []*os.File{null, out, out},
		Sys: &syscall.SysProcAttr{Setsid: true}, // no terminal's and no service's signals but for itself
	})
	if err != nil {
		return err
	}
	p.record.PID = p.process.Pid
	p.record.Start, err = started(p.record.PID) // it is there until it is waited for
	if err != nil {
		c.o.Log.Warn("when a node's process began cannot be told", "node", l.Node, "error", err)
	}
	return nil
}

// port chooses one that nobody listens on: where the node was before if that can be, else any. c.mu is held.
func (c *Children) port(node, before string) (int, error) {
	taken := map[string]bool{}
	for other, p := range c.nodes {
		taken[p.record.Addr] = taken[p.record.Addr] || other != node
	}
	free := func(port int) bool {
		if taken[net.JoinHostPort(c.o.Advertise, strconv.Itoa(port))] {
			return false
		}
		l, err := net.Listen("tcp", net.JoinHostPort(c.o.Listen, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		return l.Close() == nil
	}
	if _, digits, err := net.SplitHostPort(before); err == nil {
		if port, err := strconv.Atoi(digits); err == nil && port >= c.o.PortFirst && port <= c.o.PortLast && free(port) {
			return port, nil
		}
	}
	count := c.o.PortLast - c.o.PortFirst + 1
	for i, first := 0, c.o.Chance.IntN(count); i < count; i++ {
		if port := c.o.PortFirst + (first+i)%count; free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("none of the ports %d to %d is free at %q for node %s (host.ports)", c.o.PortFirst, c.o.PortLast, c.o.Listen, node)
}

// Erase implements host.Starter.
func (c *Children) Erase(node string) error {
	c.mu.Lock()
	p := c.nodes[node]
	c.mu.Unlock()
	if p != nil {
		select {
		case <-p.ended:
		default:
			return errors.New("it still runs")
		}
	}
	if err := os.RemoveAll(c.folder(node)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, node)
	return nil
}
