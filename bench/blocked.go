package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"larder/protocol/resp"
)

// waitersAtOnce is how many clients wait at a time: as many as a gateway's loop has lanes to lend to one node.
const waitersAtOnce = 1000

// blocked compares what it costs the gateway, over three nodes, and a redis-server to give elements of lists to very many clients that wait for them, in the
// order in which they came.
func (r *runner) blocked() error {
	defer r.bed.stop()
	ours, theirs, err := r.studios()
	if err != nil {
		return err
	}
	nodes := map[*Server][]string{theirs: {theirs.Addr}}
	for _, s := range r.bed.running {
		if s != ours && s != theirs {
			nodes[ours] = append(nodes[ours], s.Addr)
		}
	}
	for _, lists := range []int{1, waitersAtOnce} {
		c := Cell{Workload: Workload{Op: "BLPOP", Keys: 1, Value: 64, Depth: 16, Space: lists}}
		if !r.only.MatchString(c.Workload.String()) {
			continue
		}
		measure := func(s *Server, w Workload) (Sample, error) { return r.plan.waited(s, nodes[s], w) }
		for range r.plan.rounds {
			if err := r.heardRound(&c, ours, theirs, measure); err != nil {
				return err
			}
		}
		r.say(&c, ours, theirs)
		r.results.Blocked = append(r.results.Blocked, c)
	}
	return nil
}

// queue is clients that wait for elements of lists, each for one, and one that pushes them.
type queue struct {
	waiters []net.Conn
	nodes   []net.Conn // where they wait
	pusher  net.Conn
	lists   int
	in      []byte
	hist    *hdr.Histogram // from a push to the last element of its batch that came
}

// waited has the clients of one queue wait and be woken, again and again: an operation is one that is woken. Only that is measured.
func (p plan) waited(s *Server, nodes []string, w Workload) (Sample, error) {
	q := &queue{lists: w.Space, in: make([]byte, 64<<10), hist: newHistogram()}
	defer q.close()
	if err := q.connect(s.Addr, nodes); err != nil {
		return Sample{}, err
	}
	var all Sample
	took, user := 0.0, 0.0
	for round := 0; took < p.run.Seconds() && round < wakesMax; round++ {
		if err := p.stopped(); err != nil {
			return Sample{}, err
		}
		if err := q.wait(); err != nil {
			return Sample{}, err
		}
		one, err := watch(s, func() (int, error) { return len(q.waiters), q.wake(w) })
		if err != nil {
			return Sample{}, err
		}
		if round == 0 {
			q.hist.Reset()
			continue
		}
		n := float64(one.Ops)
		all.Ops += one.Ops
		all.CPU += one.CPU * n
		user += one.User * one.CPU * n
		took += n / one.PerSecond
		all.Steal = max(all.Steal, one.Steal)
	}
	all.PerSecond, all.User = float64(all.Ops)/took, user/all.CPU
	all.CPU /= float64(all.Ops)
	all.P50, all.P99, all.P999, all.Max = quantile(q.hist, 50), quantile(q.hist, 99), quantile(q.hist, 99.9), quantile(q.hist, 100)
	return all, nil
}

// wakesMax ends a run: to bring the clients to wait takes longer than to wake them.
const wakesMax = 10

func (q *queue) connect(addr string, nodes []string) error {
	dial := func(addr string) (net.Conn, error) {
		c, err := net.DialTimeout("tcp4", addr, silenceMax)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		return c, nil
	}
	for range waitersAtOnce {
		c, err := dial(addr)
		if err != nil {
			return err
		}
		q.waiters = append(q.waiters, c)
	}
	for _, node := range nodes {
		c, err := dial(node)
		if err != nil {
			return err
		}
		q.nodes = append(q.nodes, c)
	}
	var err error
	q.pusher, err = dial(addr)
	return err
}

// wait has all clients wait. Those of one list do it one after the other: a server reads what has come over several connections in any order.
func (q *queue) wait() error {
	for i, c := range q.waiters {
		if _, err := c.Write(resp.AppendCommandStrings(nil, "BLPOP", q.list(i), "0")); err != nil {
			return fmt.Errorf("send: %w", err)
		}
		if q.lists == 1 || i+1 == len(q.waiters) {
			if err := q.await(i + 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// wake pushes an element for each client: each must go to the one that has waited longest for its list.
func (q *queue) wake(w Workload) error {
	var batch []byte
	for from := 0; from < len(q.waiters); from += w.Depth {
		to := min(len(q.waiters), from+w.Depth)
		batch = batch[:0]
		for i := from; i < to; i++ {
			batch = resp.AppendCommandStrings(batch, "RPUSH", q.list(i), q.element(i, w))
		}
		began := time.Now()
		if _, err := q.pusher.Write(batch); err != nil {
			return fmt.Errorf("push: %w", err)
		}
		for i := from; i < to; i++ {
			if err := q.given(i, w); err != nil {
				return err
			}
		}
		record(q.hist, time.Since(began))
		if err := readReplies(q.pusher, q.in, to-from); err != nil {
			return err
		}
	}
	return nil
}

func (q *queue) list(i int) string { return "bench:list:" + strconv.Itoa(i%q.lists) }

// element is what client i is to be given.
func (q *queue) element(i int, w Workload) string {
	number := strconv.Itoa(i)
	return number + strings.Repeat("v", max(0, w.Value-len(number)))
}

// given reads client i's element and compares it.
func (q *queue) given(i int, w Workload) error {
	want := resp.AppendCommandStrings(nil, q.list(i), q.element(i, w))
	_ = q.waiters[i].SetReadDeadline(time.Now().Add(silenceMax))
	got := q.in[:len(want)]
	if n, err := io.ReadFull(q.waiters[i], got); err != nil {
		return fmt.Errorf("client %d of %d got %.200q: %w", i, len(q.waiters), got[:n], err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("client %d of %d got %.200q out of its turn", i, len(q.waiters), got)
	}
	return nil
}

// await waits until so many clients wait at the nodes.
func (q *queue) await(clients int) error {
	for end := time.Now().Add(silenceMax); time.Now().Before(end); {
		waiting := 0
		for _, node := range q.nodes {
			n, err := q.waitingAt(node)
			if err != nil {
				return fmt.Errorf("ask for the clients that wait: %w", err)
			}
			waiting += n
		}
		if waiting == clients {
			return nil
		}
	}
	return fmt.Errorf("not all of %d clients wait within %s", clients, silenceMax)
}

var blockedClients = regexp.MustCompile(`\r\nblocked_clients:(\d+)\r\n`)

func (q *queue) waitingAt(node net.Conn) (int, error) {
	if _, err := node.Write([]byte("INFO clients\r\n")); err != nil {
		return 0, err
	}
	_ = node.SetReadDeadline(time.Now().Add(silenceMax))
	var replies resp.Replies
	for have := 0; ; {
		n, err := node.Read(q.in[have:])
		if err != nil {
			return 0, err
		}
		have += n
		switch _, _, st := replies.Next(q.in[:have]); st {
		case resp.More:
		case resp.Done:
			if found := blockedClients.FindSubmatch(q.in[:have]); found != nil {
				return strconv.Atoi(string(found[1]))
			}
			return 0, fmt.Errorf("it is not told in %.200q", q.in[:have])
		default:
			return 0, errors.New(replies.Err())
		}
	}
}

func (q *queue) close() {
	for _, c := range q.waiters {
		_ = c.(*net.TCPConn).SetLinger(0) // so many that wait for their time to end would take all ports
		_ = c.Close()
	}
	for _, c := range q.nodes {
		_ = c.Close()
	}
	if q.pusher != nil {
		_ = q.pusher.Close()
	}
}

func (r *Results) blockedTable(w io.Writer) {
	if len(r.Blocked) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Clients that wait: %d in BLPOP, on one list and on as many lists\n\nThrough the gateway over three redis-servers, against a redis-server directly. An operation is one client that is given its element; that they are served in the order in which they came is checked. Latency is from 16 pushes to the last of the 16 clients that has its element.\n\n", waitersAtOnce)
	pairsTable(w, "gateway", "redis-server", r.Blocked)
}
