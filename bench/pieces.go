package main

import (
	"fmt"
	"io"
	"net"
	"time"

	"larder/protocol/resp"
)

// PieceCell compares what a gateway spends on a transaction, or a script, with what the same gateway spends on a pipeline of plain commands of the same
// length. Samples count batches.
type PieceCell struct {
	Name, Against string
	Pieces, Plain []Sample
	Target        float64
	Repeats       int // rounds thrown away for CPU steal
}

// Ratio is the CPU of a batch of pieces to that of a plain one, the median of the rounds.
func (c *PieceCell) Ratio() float64 { return cpuRatio(c.Pieces, c.Plain) }

// pieceLoad is a batch in both forms, for the keys of one number.
type pieceLoad struct {
	name, against string
	piece, plain  batchOf
}

// batchOf is what a connection sends at once, and how many replies come.
type batchOf struct {
	commands func(dst []byte, key string) []byte
	replies  int
}

const (
	pieceTarget   = 1.3
	pieceCommands = 5
	pieceScripts  = 16
	pieceScript   = "return redis.call('SET', KEYS[1], ARGV[1])"
)

// sets are n SETs of keys in one slot.
func sets(dst []byte, key string, n int) []byte {
	for i := range n {
		dst = resp.AppendCommandStrings(dst, "SET", fmt.Sprintf("{%s}%d", key, i), pieceValue)
	}
	return dst
}

const pieceValue = "0123456789012345678901234567890123456789012345678901234567890123"

func pieceLoads() []pieceLoad {
	many := func(words ...string) func([]byte, string) []byte {
		return func(dst []byte, key string) []byte {
			for i := range pieceScripts {
				dst = resp.AppendCommandStrings(dst, append(words, "1", fmt.Sprintf("%s:%d", key, i), pieceValue)...)
			}
			return dst
		}
	}
	plain := func(dst []byte, key string) []byte {
		for i := range pieceScripts {
			dst = resp.AppendCommandStrings(dst, "SET", fmt.Sprintf("%s:%d", key, i), pieceValue)
		}
		return dst
	}
	return []pieceLoad{
		{
			"MULTI, 5 SETs, EXEC", "5 SETs",
			batchOf{func(dst []byte, key string) []byte {
				dst = sets(resp.AppendCommandStrings(dst, "MULTI"), key, pieceCommands)
				return resp.AppendCommandStrings(dst, "EXEC")
			}, pieceCommands + 2},
			batchOf{func(dst []byte, key string) []byte { return sets(dst, key, pieceCommands) }, pieceCommands},
		},
		{"16 EVALs of a SET", "16 SETs", batchOf{many("EVAL", pieceScript), pieceScripts}, batchOf{plain, pieceScripts}},
		{"16 EVALSHAs of a SET", "16 SETs", batchOf{many("EVALSHA", pieceSHA), pieceScripts}, batchOf{plain, pieceScripts}},
	}
}

// pieceSHA is pieceScript's name.
const pieceSHA = "d8f2fad9f8e86a53d2a6ebd960b33c4972cacc37"

// pieces measures transactions and scripts through a gateway over three redis-servers.
func (r *runner) pieces() error {
	defer r.bed.stop()
	ours, err := r.gatewayOver(64)
	if err != nil {
		return err
	}
	if err := ours.tell([][]string{{"SCRIPT", "LOAD", pieceScript}}); err != nil {
		return err
	}
	for _, load := range pieceLoads() {
		if !r.only.MatchString(load.name) {
			continue
		}
		c := PieceCell{Name: load.name, Against: load.against, Target: pieceTarget}
		for range r.plan.rounds {
			if err := r.pieceRound(&c, ours, load); err != nil {
				return err
			}
		}
		fmt.Fprintf(r.out, "%s against %s: gateway's CPU %.2f%s\n", c.Name, c.Against, c.Ratio(), judged(c.Ratio(), c.Target))
		r.results.Pieces = append(r.results.Pieces, c)
	}
	return nil
}

func (r *runner) pieceRound(c *PieceCell, ours *Server, load pieceLoad) error {
	var a, b Sample
	again, err := r.plan.calm(func() (float64, error) {
		var err error
		if a, err = r.plan.batches(ours, load.piece); err != nil {
			return 0, fmt.Errorf("%s: %w", load.name, err)
		}
		if b, err = r.plan.batches(ours, load.plain); err != nil {
			return 0, fmt.Errorf("%s: %w", load.against, err)
		}
		return max(a.Steal, b.Steal), nil
	})
	c.Repeats += again
	c.Pieces, c.Plain = append(c.Pieces, a), append(c.Plain, b)
	return err
}

// batches has every connection send a batch, and the next when all have their replies. One goroutine serves them all: it is the gateway's CPU that counts.
func (p plan) batches(s *Server, b batchOf) (Sample, error) {
	conns := make([]net.Conn, 0, p.conns)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range p.conns {
		c, err := net.DialTimeout("tcp4", s.Addr, time.Second)
		if err != nil {
			return Sample{}, fmt.Errorf("connect: %w", err)
		}
		conns = append(conns, c)
	}
	var all [][]byte // what is sent, made before the clock runs
	for i := range 1 << 10 {
		all = append(all, b.commands(nil, fmt.Sprintf("%012d", i)))
	}
	in := make([]byte, 64<<10)
	return watch(s, func() (int, error) {
		done := 0
		for end := time.Now().Add(p.run); time.Now().Before(end); {
			for i, c := range conns {
				if _, err := c.Write(all[(done+i)%len(all)]); err != nil {
					return done, fmt.Errorf("send: %w", err)
				}
			}
			for _, c := range conns {
				if err := readReplies(c, in, b.replies); err != nil {
					return done, err
				}
			}
			done += len(conns)
		}
		return done, nil
	})
}

// readReplies takes n replies, none of them an error.
func readReplies(c net.Conn, in []byte, n int) error {
	_ = c.SetReadDeadline(time.Now().Add(silenceMax))
	var replies resp.Replies
	have, pos := 0, 0
	for n > 0 {
		size, _, st := replies.Next(in[pos:have])
		switch {
		case st == resp.Done && in[pos] == '-':
			return fmt.Errorf("the gateway answered %.100q", in[pos:pos+size])
		case st == resp.Done:
			pos += size
			n--
		case st == resp.Failed:
			return fmt.Errorf("the gateway's reply is none: %s", replies.Err())
		default:
			got, err := c.Read(in[have:])
			if err != nil {
				return fmt.Errorf("read replies: %w", err)
			}
			have += got
		}
	}
	return nil
}

func (r *Results) piecesTable(w io.Writer) {
	if len(r.Pieces) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Transactions and scripts through the gateway, against a pipeline of the same length\n\nThe gateway's CPU a batch in µs, medians, in front of 3 redis-servers.\n\n")
	fmt.Fprintf(w, "| batch | µs | against | µs | ratio | target | | user part |\n|---|---|---|---|---|---|---|---|\n")
	for i := range r.Pieces {
		c := &r.Pieces[i]
		fmt.Fprintf(w, "| %s | %.2f | %s | %.2f | **%.2f** | %s | %s | %.0f / %.0f %% |\n", c.Name, mid(c.Pieces, cpuOf), c.Against, mid(c.Plain, cpuOf), c.Ratio(),
			atMost(c.Target), verdict(c.Ratio(), c.Target), 100*mid(c.Pieces, userOf), 100*mid(c.Plain, userOf))
	}
}
