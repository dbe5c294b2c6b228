package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"larder/engine"
	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// fillRedis makes keys of all types, in forms of all sizes.
func fillRedis(rng *rand.Rand, do func(args ...string)) {
	text := func() string {
		switch rng.IntN(4) {
		case 0:
			return strconv.Itoa(rng.IntN(1 << rng.IntN(31)))
		case 1:
			return strings.Repeat("again ", rng.IntN(40))
		}
		b := make([]byte, rng.IntN(1+rng.IntN(100)))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return string(b)
	}
	for i := range 400 {
		do("SELECT", strconv.Itoa(rng.IntN(3)))
		n := 1 + rng.IntN(1+rng.IntN(700))
		args := []string{[]string{"HSET", "SADD", "SADD", "ZADD", "RPUSH"}[i%5], fmt.Sprintf("key:%d", i)}
		for e := range n {
			switch i % 5 {
			case 0:
				args = append(args, fmt.Sprintf("field:%d", e), text())
			case 1:
				args = append(args, text())
			case 2:
				args = append(args, strconv.Itoa(rng.IntN(100_000)))
			case 3:
				args = append(args, strconv.FormatFloat(rng.NormFloat64(), 'g', rng.IntN(17)+1, 64), text())
			case 4:
				args = append(args, text())
			}
		}
		do(args...)
		do("SET", fmt.Sprintf("text:%d", i), text())
		if i%7 == 0 {
			do("PEXPIREAT", args[1], "4102444800000")
		}
		if i%20 == 0 {
			stream := fmt.Sprintf("stream:%d", i)
			for e := range n {
				do("XADD", stream, fmt.Sprintf("%d-1", e+1), "field", text(), fmt.Sprint("other", e%3), "v")
			}
			do("XDEL", stream, "1-1")
			do("XGROUP", "CREATE", stream, "g", "0")
			do("XREADGROUP", "GROUP", "g", "c", "COUNT", "5", "STREAMS", stream, ">")
		}
	}
}

// TestLoadingARedisFile: a node that has loaded what redis-server saved has the same keys, whether texts were compressed or not, and in lists of any nodes.
func TestLoadingARedisFile(t *testing.T) {
	for i, args := range [][]string{nil, {"--rdbcompression", "no", "--list-max-listpack-size", "5"}, {"--hash-max-listpack-entries", "0", "--zset-max-listpack-entries", "0"}} {
		dir := t.TempDir()
		redis := peers.Dial(t, peers.StartRedis(t, append([]string{"--dir", dir, "--enable-debug-command", "yes"}, args...)...), 2)
		rng := rand.New(rand.NewPCG(5, uint64(i)))
		fillRedis(rng, func(args ...string) {
			if reply := redis.Do(args...); reply[0] == '-' {
				t.Fatalf("%.100q: %s", args, reply)
			}
		})
		if reply := string(redis.Do("SAVE")); reply != "+OK\r\n" {
			t.Fatal(reply)
		}
		file, err := os.ReadFile(filepath.Join(dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		b := newBed(t, func(o *engine.Options) { o.DebugCommand = "yes" })
		k := b.client()
		if _, _, _, err := b.node.LoadRDB(file, 1+rng.IntN(10_000), false); err != nil {
			t.Fatal(err)
		}
		for db := range 3 {
			redis.Do("SELECT", strconv.Itoa(db))
			k.do("SELECT", strconv.Itoa(db))
			compareKeys(k, redis)
			for _, stream := range []string{"stream:0", "stream:20", "stream:40"} {
				k.says(string(redis.Do("XINFO", "GROUPS", stream)), "XINFO", "GROUPS", stream)
			}
		}
	}
}

// compareKeys compares all keys of a database. Redis 7.0 digests scores in another form than 7.2: sorted sets are compared as they are shown.
func compareKeys(k *talker, redis *peers.Conn) {
	k.b.t.Helper()
	k.says(string(redis.Do("DBSIZE")), "DBSIZE")
	it := resp.Elements([]byte(k.do("KEYS", "*")))
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		name, _ := resp.BulkOf(e)
		key := string(name)
		k.says(string(redis.Do("TYPE", key)), "TYPE", key)
		k.says(string(redis.Do("PEXPIRETIME", key)), "PEXPIRETIME", key)
		if k.do("TYPE", key) != "+zset\r\n" {
			k.says(string(redis.Do("DEBUG", "DIGEST-VALUE", key)), "DEBUG", "DIGEST-VALUE", key)
			continue
		}
		theirs, ours := redis.Do("ZRANGE", key, "0", "-1", "WITHSCORES"), k.do("ZRANGE", key, "0", "-1", "WITHSCORES")
		if ours != string(theirs) && !conform.SameDoubles(theirs, []byte(ours)) {
			k.b.t.Errorf("%s: %.300q, redis-server has %.300q", key, ours, theirs)
		}
	}
}
