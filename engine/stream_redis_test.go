package engine_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// asker is who can be asked for a picture.
type asker interface{ do(args ...string) string }

// redisAsker asks a redis-server.
type redisAsker struct{ c *peers.Conn }

func (r redisAsker) do(args ...string) string { return string(r.c.Do(args...)) }

// fakePrimary is a primary without data, whose stream is the test's.
type fakePrimary struct {
	t    *testing.T
	conn net.Conn
	sent int64
}

// leadsTo has a redis-server follow the test, which answers its handshake.
func leadsTo(t *testing.T, redis *peers.Conn) *fakePrimary {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	redis.Do("REPLICAOF", "127.0.0.1", port)
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(120 * time.Second))
	replica := &fakeReplica{bufio.NewReader(conn)}
	p := &fakePrimary{t: t, conn: conn}
	for {
		switch words := replica.command(t); strings.ToUpper(string(words[0])) {
		case "PING":
			p.write("+PONG\r\n")
		case "PSYNC":
			const empty = "REDIS0010\xff\x00\x00\x00\x00\x00\x00\x00\x00"
			p.write(fmt.Sprintf("+FULLRESYNC %040d 0\r\n$%d\r\n%s", 1, len(empty), empty))
			return p
		default:
			p.write("+OK\r\n")
		}
	}
}

func (p *fakePrimary) write(text string) {
	p.t.Helper()
	if _, err := p.conn.Write([]byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

// send sends a piece of the stream and waits until the server has run it, which must go without errors.
func (p *fakePrimary) send(redis *peers.Conn, stream []byte) {
	p.t.Helper()
	p.write(string(stream))
	p.sent += int64(len(stream))
	want := fmt.Sprintf("\r\nslave_repl_offset:%d\r\n", p.sent)
	eventually(p.t, "the replica has run the stream", func() bool { return strings.Contains(string(redis.Do("INFO", "replication")), want) })
	if errors := string(redis.Do("INFO", "errorstats")); strings.Contains(errors, "errorstat_") {
		p.t.Fatalf("redis-server answers with errors: %q, to\n%s", errors, strings.Join(toldLines(p.t, stream), "\n"))
	}
}

// TestRedisObeys has a redis-server follow what a node tells of commands of all types: at each checkpoint it has what the node has.
func TestRedisObeys(t *testing.T) {
	for _, seed := range streamSeeds(3) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			redis := peers.Dial(t, peers.StartRedis(t, "--enable-debug-command", "yes", "--repl-timeout", "3600"), 2)
			primary := leadsTo(t, redis)
			// What dies does so by the node's clock, which the real one does not reach.
			f := &following{t: t, rng: rand.New(rand.NewPCG(seed, 7)), node: newTellerAt(t, time.Now().Add(time.Hour)), knows: knows{size: true, groups: true}}
			drawn := conform.NewGenerator(f.rng, time.Now().Add(time.Hour), true)
			f.lacks = lacksFields
			for range 10 {
				f.round(drawn, 60)
				f.letDie()
				stream := f.node.told()
				primary.send(redis, stream)
				f.compare(stream, f.node.b.client(), redisAsker{redis})
			}
		})
	}
}

// TestRedisIsObeyed has a node follow what a redis-server tells of commands of all types.
func TestRedisIsObeyed(t *testing.T) {
	for _, seed := range streamSeeds(3) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			addr := peers.StartRedis(t, "--enable-debug-command", "yes", "--repl-diskless-sync", "no", "--repl-timeout", "3600", "--repl-ping-replica-period", "3600")
			redis, mark, replica := peers.Dial(t, addr, 2), peers.Dial(t, addr, 2), attach(t, addr)
			began := time.Now()
			copied := &follower{newBedThen(t, began, withDebug).client()}
			copied.b.node.Follow(true)
			f := &following{t: t, rng: rand.New(rand.NewPCG(seed, 8))}
			f.lacks = lacksForRedis
			drawn := conform.NewGenerator(f.rng, time.Now(), false)
			f.tell = func(args [][]byte) {
				redis.Send(resp.AppendCommand(nil, args...))
				redis.Reply()
			}
			for i := range 10 {
				f.round(drawn, 60)
				redis.Do("DISCARD")
				mark.Do("PUBLISH", "mark", strconv.Itoa(i))
				var stream []byte
				for {
					args := replica.command(t)
					stream = resp.AppendCommand(stream, args...)
					if strings.EqualFold(conform.Quote(args), "PUBLISH mark "+strconv.Itoa(i)) {
						break
					}
				}
				copied.obeys(stream)
				copied.b.m.Advance(time.Since(began))
				began = time.Now()
				f.compare(stream, redisAsker{peers.Dial(t, addr, 2)}, copied.b.client())
			}
		})
	}
}

// lacksFields tells of what Redis 7.0 has no command for: fields that expire.
func lacksFields(line string) bool { return strings.Contains(line, "FIELDS") }

// lacksForRedis tells of what is not for a server that is followed: what the two sides would see at other times, and what waits or changes the server. SORT BY
// leaves elements that are equal in an order of the server's own, but is told as it is.
func lacksForRedis(line string) bool {
	return lacksFields(line) || strings.HasSuffix(line, " 0") || slices.ContainsFunc([]string{"#", "0.001", "EX 1 ", "BLOCK 0", "CONFIG", "PAUSE", "DEBUG", " BY "},
		func(word string) bool { return strings.Contains(line, word) })
}
