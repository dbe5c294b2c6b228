package proxy

import (
	"fmt"
	"strconv"
	"strings"

	"larder/protocol/resp"
)

const (
	mixKeys      = 6
	mixDatabases = 3
)

const (
	scriptPush    = "return redis.call('RPUSH', KEYS[1], ARGV[1])"
	scriptPublish = "redis.call('PUBLISH', ARGV[1], ARGV[2]) return KEYS[1]"
)

func (c *mixClient) key(of string) string { return of + strconv.Itoa(c.w.rand.IntN(mixKeys)) }

// act sends something.
func (c *mixClient) act() {
	if c.waits || c.gone {
		return
	}
	r := c.w.rand
	if c.proto == 2 && len(c.subs) > 0 && c.subscribed() {
		c.actSubscribed()
		return
	}
	if c.tracks != "" && r.IntN(2) == 0 {
		c.tracked()
		return
	}
	switch r.IntN(25) {
	case 0, 1, 2:
		c.rpush()
	case 3, 4:
		c.mget()
	case 5:
		c.mset()
	case 6, 7:
		c.transaction()
	case 8:
		c.count()
	case 9, 10:
		c.job()
	case 11, 12:
		c.pop()
	case 13:
		c.subscribe()
	case 14, 15:
		c.publish()
	case 16, 17:
		c.script()
	case 18, 19:
		c.tracked()
	case 20:
		c.large()
	case 21:
		c.ofAll()
	case 22:
		c.connection()
	case 23:
		c.toOthers()
	case 24:
		if r.IntN(3) == 0 {
			c.monitor()
		}
	}
}

func (c *mixClient) rpush() {
	x := c.newWrite(c.key("log:"))
	c.say(x.replied, "RPUSH", x.key, x.id).failed = x.failed
}

// large is an element that is passed on as it comes.
func (c *mixClient) large() {
	if c.w.rand.IntN(4) > 0 {
		return
	}
	x := c.newWrite(c.key("log:"))
	c.say(x.replied, "RPUSH", x.key, x.id+"/"+strings.Repeat("x", 50<<10+c.w.rand.IntN(200<<10))).failed = x.failed
}

func (c *mixClient) mget() {
	args := []string{"MGET"}
	for range 1 + c.w.rand.IntN(6) {
		args = append(args, c.key("s:"))
	}
	mayMiss := c.mayMiss()
	c.say(func(reply string) string {
		want := array(args[1:]...)
		if reply == want || mayMiss && strings.HasPrefix(reply, fmt.Sprintf("*%d\r\n", len(args)-1)) {
			return ""
		}
		return fmt.Sprintf("want %q", want)
	}, args...)
}

// mayMiss says whether what was written may be elsewhere, or gone.
func (c *mixClient) mayMiss() bool { return c.w.moves || c.w.blanks || c.db != 0 }

func (c *mixClient) mset() {
	args := []string{"MSET"}
	for range 1 + c.w.rand.IntN(4) {
		key := c.key("s:")
		args = append(args, key, key)
	}
	c.expect("+OK\r\n", args...)
}

// transaction pushes several elements, to one list or to two of one slot, which nothing may come between. Some are broken or thrown away.
func (c *mixClient) transaction() {
	r := c.w.rand
	watches := c.watches
	c.watches = false
	c.expect("+OK\r\n", "MULTI")
	key := c.key("log:")
	var writes []*mixWrite
	for range 1 + r.IntN(4) {
		x := c.newWrite(key)
		writes = append(writes, x)
		c.expect("+QUEUED\r\n", "RPUSH", key, x.id)
	}
	settle := func(ran bool) {
		for _, x := range writes {
			x.failed(ran)
		}
	}
	switch r.IntN(8) {
	case 0:
		settle(false)
		c.expect("+OK\r\n", "DISCARD")
		return
	case 1:
		settle(false)
		c.say(func(reply string) string {
			if !strings.HasPrefix(reply, "-ERR unknown command") {
				return "want an error"
			}
			return ""
		}, "NOSUCH")
		c.expect(textAborted+"\r\n", "EXEC")
		return
	}
	if c.w.rand.IntN(4) == 0 { // a command of the gateway's own within
		c.expect("+QUEUED\r\n", "CLIENT", "GETNAME")
	}
	c.say(func(reply string) string {
		if watches && (reply == "*-1\r\n" || reply == "_\r\n") {
			settle(false)
			return ""
		}
		lengths := elements(reply)
		if len(lengths) < len(writes) {
			return fmt.Sprintf("want %d replies", len(writes))
		}
		for i, x := range writes {
			if wrong := x.replied(lengths[i]); wrong != "" {
				return wrong
			}
			if i > 0 && x.length != writes[i-1].length+1 {
				return "something came between the commands"
			}
		}
		return ""
	}, "EXEC").failed = settle
}

// count adds one to a counter with WATCH: a transaction that another came before does nothing.
func (c *mixClient) count() {
	if c.db != 0 {
		return
	}
	key := c.key("count:")
	n := c.w.counters[key]
	if n == nil {
		n = &mixCounter{}
		c.w.counters[key] = n
	}
	refused := false
	c.expect("+OK\r\n", "WATCH", key).failed = func(bool) { refused = true }
	c.watches = true
	c.ask(func(reply string) string {
		if refused { // the next transaction may be refused for it
			return ""
		}
		c.watches = false
		value, _ := strconv.Atoi(bulkText(reply))
		c.expect("+OK\r\n", "MULTI")
		c.expect("+QUEUED\r\n", "SET", key, strconv.Itoa(value+1))
		c.say(func(reply string) string {
			switch reply {
			case "*1\r\n+OK\r\n":
				n.done++
			case "*-1\r\n", "_\r\n":
			default:
				return "want OK or nothing"
			}
			return ""
		}, "EXEC").failed = func(ran bool) {
			if ran {
				n.unknown++
			}
		}
		return ""
	}, "GET", key).failed = func(bool) {
		c.waits, c.watches = false, false
		c.expect("+OK\r\n", "UNWATCH")
	}
}

// job puts something into a queue.
func (c *mixClient) job() {
	c.sent++
	id := fmt.Sprintf("job %d.%d", c.number, c.sent)
	job := &mixJob{}
	c.w.jobs[id] = job
	c.say(func(reply string) string {
		if reply[0] != ':' {
			return "want a length"
		}
		job.pushed = true
		return ""
	}, "RPUSH", "queue:"+strconv.Itoa(c.w.rand.IntN(3)), id)
}

// pop waits for something of a queue.
func (c *mixClient) pop() {
	key := "queue:" + strconv.Itoa(c.w.rand.IntN(3))
	if c.w.rand.IntN(5) == 0 {
		c.turn(key)
		return
	}
	name, args := "BLPOP", []string{key, []string{"0.05", "0.3", "2"}[c.w.rand.IntN(3)]}
	if c.w.rand.IntN(4) == 0 {
		name, args = "LPOP", []string{key}
	}
	c.say(func(reply string) string {
		if reply == "*-1\r\n" || reply == "$-1\r\n" || reply == "_\r\n" || strings.HasPrefix(reply, "-UNBLOCKED ") {
			return ""
		}
		id := strings.Split(reply, "\r\n")[1]
		if words := elements(reply); name == "BLPOP" && len(words) == 2 && words[0] == key {
			id = words[1]
		}
		job := c.w.jobs[id]
		if job == nil {
			return "want a job or nothing"
		}
		job.popped++
		return ""
	}, append([]string{name}, args...)...).failed = func(ran bool) {
		if ran {
			c.w.lostPops++
		}
	}
}

// turn waits for something of a queue and puts it to the queue's end.
func (c *mixClient) turn(key string) {
	c.say(func(reply string) string {
		if reply == "$-1\r\n" || reply == "*-1\r\n" || reply == "_\r\n" || strings.HasPrefix(reply, "-UNBLOCKED ") || c.w.jobs[bulkText(reply)] != nil {
			return ""
		}
		return "want a job or nothing"
	}, "BLMOVE", key, key, "LEFT", "RIGHT", "0.1")
}

// script pushes an element by a script that the gateway was told once.
func (c *mixClient) script() {
	x := c.newWrite(c.key("log:"))
	if c.w.rand.IntN(4) == 0 {
		c.say(x.replied, "EVAL", scriptPush, "1", x.key, x.id).failed = x.failed
		return
	}
	c.say(x.replied, "EVALSHA", c.w.scripts["push"], "1", x.key, x.id).failed = x.failed
}

// tracked reads or writes what clients keep copies of.
func (c *mixClient) tracked() {
	if c.db != 0 {
		return
	}
	r := c.w.rand
	key := c.key("track:")
	switch {
	case r.IntN(3) == 0:
		c.sent++
		c.say(func(reply string) string {
			delete(c.cache, key)
			if reply != "+OK\r\n" {
				return "want OK"
			}
			return ""
		}, "SET", key, fmt.Sprintf("%d.%d", c.number, c.sent)).failed = func(ran bool) {
			delete(c.cache, key)
			if ran {
				c.doubts[key] = true
			}
		}
	case c.tracks == "" && r.IntN(6) == 0:
		c.redirect()
	case c.proto == 3 && c.tracks == "" && r.IntN(3) == 0:
		c.startTracking()
	case c.tracks != "":
		if c.tracks == "OPTIN" {
			c.expect("+OK\r\n", "CLIENT", "CACHING", "YES")
		}
		told := c.told
		c.say(func(reply string) string {
			if reply[0] != '$' && reply[0] != '_' {
				return "want a value or none"
			}
			if c.tracks != "" && (c.tracks != "REDIRECT" || c.told == told) { // what the ear was told meanwhile may be of this key
				c.cache[key] = reply
			}
			return ""
		}, "GET", key)
	}
}

func (c *mixClient) startTracking() {
	args := []string{"CLIENT", "TRACKING", "ON"}
	c.tracks = []string{"ON", "OPTIN", "BCAST", "NOLOOP"}[c.w.rand.IntN(4)]
	switch c.tracks {
	case "OPTIN", "NOLOOP":
		args = append(args, c.tracks)
	case "BCAST":
		args = append(args, "BCAST", "PREFIX", "track:")
	}
	c.expect("+OK\r\n", args...)
}

// ofAll asks all shards.
func (c *mixClient) ofAll() {
	check := func(first byte) func(string) string {
		return func(reply string) string {
			if reply[0] != first {
				return "want " + string(first)
			}
			return ""
		}
	}
	switch c.w.rand.IntN(5) {
	case 4:
		c.flush()
	case 0:
		c.say(check(':'), "DBSIZE")
	case 1:
		c.say(check('*'), "KEYS", "s:*")
	case 2:
		c.scan("0", map[string]bool{}, 0)
	case 3:
		c.say(check(':'), "EXISTS", "s:1", "s:2", "s:3")
	}
}

// flush empties a database in which nobody has anything: whoever keeps copies is told that nothing holds.
func (c *mixClient) flush() {
	c.expect("+OK\r\n", "SELECT", strconv.Itoa(mixDatabases))
	c.expect("+OK\r\n", "FLUSHDB")
	c.expect("+OK\r\n", "SELECT", strconv.Itoa(c.db))
}

// scan goes through all keys; none that was there all the time is left out.
func (c *mixClient) scan(cursor string, seen map[string]bool, rounds int) {
	mayMiss := c.mayMiss()
	c.ask(func(reply string) string {
		words := elements(reply)
		if len(words) == 0 {
			return "want a cursor and keys"
		}
		for _, key := range words[1:] {
			seen[key] = true
		}
		if words[0] != "0" {
			if rounds > 300 {
				return "this scan does not end"
			}
			c.scan(words[0], seen, rounds+1)
			return ""
		}
		for i := range mixKeys {
			if key := "s:" + strconv.Itoa(i); !seen[key] && !mayMiss {
				return "the scan left out " + key
			}
		}
		return ""
	}, "SCAN", cursor, "COUNT", "5")
}

// connection changes the client's own state.
func (c *mixClient) connection() {
	r := c.w.rand
	switch r.IntN(6) {
	case 0, 1:
		c.db = r.IntN(mixDatabases)
		c.expect("+OK\r\n", "SELECT", strconv.Itoa(c.db))
	case 2:
		if c.proto == 2 && len(c.subs) == 0 {
			c.hello()
		}
	case 3:
		c.reset()
	case 4:
		x := c.newWrite(c.key("log:"))
		c.say(nil, "CLIENT", "REPLY", "SKIP")
		c.say(nil, "RPUSH", x.key, x.id)
		c.deeds = c.deeds[:len(c.deeds)-2]
		c.expect("+PONG\r\n", "PING")
	case 5:
		c.expect("$2\r\nhi\r\n", "ECHO", "hi")
	}
}

func (c *mixClient) hello() {
	c.proto = 3
	c.say(func(reply string) string {
		if reply[0] != '%' {
			return "want a map"
		}
		return ""
	}, "HELLO", "3")
}

// reset makes a new client of it. Nothing follows until that is done.
func (c *mixClient) reset() {
	c.endSubscriptions()
	if m := c.monitors; m != nil {
		m.to = c.w.now
	}
	d := c.ask(func(reply string) string {
		clear(c.cache)
		clear(c.subs)
		c.monitors = nil
		c.db, c.tracks, c.proto, c.watches = 0, "", 2, false
		if reply != "+RESET\r\n" {
			return "want RESET"
		}
		return ""
	}, "RESET")
	d.failed = nil // no node is asked
}

// toOthers does something to another client.
func (c *mixClient) toOthers() {
	r := c.w.rand
	other := c.w.clients[r.IntN(len(c.w.clients))]
	if other == c || other.id == "" {
		return
	}
	number := func(reply string) string {
		if reply[0] != ':' {
			return "want a number"
		}
		return ""
	}
	switch {
	case r.IntN(3) == 0:
		other.killed = true
		other.endSubscriptions()
		c.say(number, "CLIENT", "KILL", "ID", other.id)
	case r.IntN(6) == 0:
		c.expect("+OK\r\n", "CLIENT", "PAUSE", "30", []string{"WRITE", "ALL"}[r.IntN(2)])
	default:
		args := []string{"CLIENT", "UNBLOCK", other.id}
		if r.IntN(2) == 0 {
			args = append(args, "ERROR")
		}
		c.say(number, args...)
	}
}

func bulkText(reply string) string {
	text, _ := resp.BulkOf([]byte(reply))
	return string(text)
}
