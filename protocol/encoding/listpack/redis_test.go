package listpack_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"larder/internal/dumps"
	"larder/internal/peers"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

// randomText is a number of any width, or a text of a length about which forms change.
func randomText(rng *rand.Rand) string {
	switch rng.IntN(6) {
	case 0, 1:
		return strconv.FormatInt(int64(rng.Uint64())>>rng.IntN(64), 10)
	case 2:
		return []string{"01", "-0", "+1", "1 ", "", "-", "9223372036854775808", "-9223372036854775808", "a\x00b"}[rng.IntN(9)]
	case 3:
		lengths := []int{62, 63, 64, 65, 124, 125, 126, 127, 128, 300}
		return strings.Repeat("y", lengths[rng.IntN(len(lengths))])
	default:
		return strings.Repeat("z", rng.IntN(4))
	}
}

// TestListAsRedis does the same to a list of a real server and to ours, and compares the bytes after every step.
func TestListAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t), 0)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		c.Do("DEL", "l")
		c.Do("RPUSH", "l", "first")
		l := listOf("first")
		for range 60 {
			text, n := randomText(rng), l.Len()
			index := rng.IntN(n)
			number := strconv.Itoa(index)
			switch rng.IntN(7) {
			case 0:
				c.Do("RPUSH", "l", text)
				l = l.Append([]byte(text))
			case 1:
				c.Do("LPUSH", "l", text)
				l = l.Prepend([]byte(text))
			case 2:
				c.Do("LSET", "l", number, text)
				l = l.Replace(l.Seek(index), []byte(text))
			case 3: // before the first entry that is like the chosen one
				pivot := string(l.Get(l.Seek(index)).Append(nil))
				c.Do("LINSERT", "l", "BEFORE", pivot, text)
				l = l.Insert(l.Find(l.First(), []byte(pivot), 0), []byte(text))
			case 4:
				if at := l.Find(l.First(), []byte(text), 0); at != 0 && n > 1 {
					c.Do("LREM", "l", "1", text)
					l = l.Delete(at)
				}
			case 5:
				if cut := rng.IntN(3); cut < n {
					c.Do("LTRIM", "l", strconv.Itoa(cut), "-1")
					l = l.DeleteRange(0, cut)
				}
			default:
				if keep := n - rng.IntN(3); keep > 0 {
					c.Do("LTRIM", "l", "0", strconv.Itoa(keep-1))
					l = l.DeleteRange(keep, n)
				}
			}
			if theirs := dumps.Node(t, c, "l"); !bytes.Equal(l, theirs) {
				t.Fatalf("ours   %q\ntheirs %q", l, theirs)
			}
			if err := listpack.Validate(l); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestHashAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--hash-max-listpack-value", "5000"), 0)
	rng := rand.New(rand.NewPCG(5, 6))
	c.Do("HSET", "h", "kept", "0")
	l := listOf("kept", "0")
	for range 1500 {
		field, value := "f"+strconv.Itoa(rng.IntN(40)), randomText(rng)
		at := l.Find(l.First(), []byte(field), 1)
		if rng.IntN(4) == 0 {
			c.Do("HDEL", "h", field)
			if at != 0 {
				l = l.DeleteFrom(at, 2)
			}
		} else {
			c.Do("HSET", "h", field, value)
			if at != 0 {
				l = l.Replace(l.Next(at), []byte(value))
			} else {
				l = l.Append([]byte(field))
				l = l.Append([]byte(value))
			}
		}
		if theirs := dumps.Blob(t, c, "h", rdb.TypeHashListpack); !bytes.Equal(l, theirs) {
			t.Fatalf("ours   %q\ntheirs %q", l, theirs)
		}
	}
}

func TestSortedSetAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t), 0)
	c.Do("ZADD", "z", "-70000", "300", "2.5", "b", "3", "c")
	l := listOf("300", "-70000", "b", "2.5").Append([]byte("c")).AppendInt(3)
	if theirs := dumps.Blob(t, c, "z", rdb.TypeZSetListpack); !bytes.Equal(l, theirs) {
		t.Errorf("ours   %q\ntheirs %q", l, theirs)
	}
}

// TestManyEntriesAsRedis passes the count that the header can hold, upwards by RESTORE and HSET, downwards by HDEL.
func TestManyEntriesAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--hash-max-listpack-entries", "100000"), 0)
	l := listpack.New(nil)
	for i := range 65534 / 2 {
		l = l.AppendInt(int64(i))
		l = l.AppendInt(7)
	}
	same := func(step string) {
		t.Helper()
		if theirs := dumps.Blob(t, c, "h", rdb.TypeHashListpack); !bytes.Equal(l, theirs) {
			t.Fatalf("%s: ours %d bytes, %x; theirs %d, %x", step, len(l), l[:6], len(theirs), theirs[:6])
		}
	}
	if reply := dumps.Restore(t, c, "h", rdb.TypeHashListpack, rdb.AppendString(nil, l, nil)); reply != "+OK\r\n" {
		t.Fatal(reply)
	}
	same("65534 entries")
	c.Do("HSET", "h", "last", "x")
	l = l.Append([]byte("last")).Append([]byte("x"))
	same("65536 entries")
	if reply := dumps.Restore(t, c, "h", rdb.TypeHashListpack, rdb.AppendString(nil, l, nil)); reply != "+OK\r\n" {
		t.Fatal(reply)
	}
	c.Do("HDEL", "h", "last")
	l = l.DeleteFrom(l.Find(l.First(), []byte("last"), 1), 2)
	if n := c.Do("HLEN", "h"); string(n) != ":32767\r\n" || l.Len() != 65534 {
		t.Fatalf("%s and %d", n, l.Len())
	}
}

// TestValidateAsRedis spoils good lists at random: a server that looks at every entry must accept and refuse what we do. Only a length behind an entry
// in other bytes than Redis writes is refused by us alone.
func TestValidateAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--sanitize-dump-payload", "yes"), 0)
	rng := rand.New(rand.NewPCG(8, 9))
	good := listOf("a", "1", "some text", "-5000", strings.Repeat("x", 130), "70000", "5000000000", "", "127")
	accepted, refused := 0, 0
	for range 4000 {
		l := bytes.Clone(good)
		for range 1 + rng.IntN(2) {
			at := rng.IntN(len(l))
			if rng.IntN(3) == 0 {
				l[at] = byte(rng.Uint32())
			} else {
				l[at] ^= 1 << rng.IntN(8)
			}
		}
		err := listpack.Validate(l)
		value := rdb.AppendString([]byte{1, rdb.NodePacked}, l, nil)
		reply := dumps.Restore(t, c, "l", rdb.TypeListQuicklist2, value)
		theirs := reply == "+OK\r\n"
		if theirs {
			accepted++
		} else {
			refused++
		}
		if theirs != (err == nil) && (!theirs || !strings.Contains(err.Error(), "length behind")) {
			t.Fatalf("%q: ours %v, theirs %s", l, err, reply)
		}
	}
	if accepted < 500 || refused < 500 {
		t.Errorf("%d accepted, %d refused: too one-sided to say much", accepted, refused)
	}
}
