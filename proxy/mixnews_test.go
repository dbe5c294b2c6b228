package proxy

import (
	"fmt"
	"strconv"
	"strings"
)

// subscribed says whether the client may do no more than what belongs to subscriptions.
func (c *mixClient) subscribed() bool { return c.proto == 2 && len(c.subs) > 0 }

func (c *mixClient) actSubscribed() {
	switch r := c.w.rand; r.IntN(6) {
	case 0:
		c.subscribe()
	case 1:
		c.unsubscribe()
	case 2:
		c.say(func(reply string) string {
			if reply != "*2\r\n$4\r\npong\r\n$0\r\n\r\n" {
				return "want pong"
			}
			return ""
		}, "PING")
	case 3:
		if r.IntN(3) == 0 {
			c.reset()
		}
	}
}

// subscribe listens to a channel, or to several by a pattern. Nothing follows until it is confirmed.
func (c *mixClient) subscribe() {
	n := strconv.Itoa(c.w.rand.IntN(3))
	kind := []string{"subscribe", "psubscribe", "ssubscribe"}[c.w.rand.IntN(3)]
	pattern := map[string]string{"subscribe": "news" + n, "psubscribe": "news*", "ssubscribe": "shard" + n}[kind]
	name := kind + " " + pattern
	if c.subs[name] != nil {
		c.unsubscribe()
		return
	}
	s := &subscription{c: c, kind: kind, pattern: pattern, got: map[string]bool{}}
	c.subs[name] = s
	c.w.subscriptions = append(c.w.subscriptions, s)
	c.ask(func(reply string) string {
		s.from = c.w.now
		if words := elements(reply); len(words) != 3 || words[0] != kind || words[1] != pattern {
			return "want a confirmation"
		}
		return ""
	}, strings.ToUpper(kind), pattern).failed = func(bool) {
		delete(c.subs, name)
		c.waits = false
	}
}

// unsubscribe ends one of the subscriptions.
func (c *mixClient) unsubscribe() {
	for name, s := range c.subs {
		s.ends(c.w.now)
		kind := strings.Replace(s.kind, "sub", "unsub", 1)
		c.ask(func(reply string) string {
			delete(c.subs, name)
			if words := elements(reply); len(words) != 3 || words[0] != kind || words[1] != s.pattern {
				return "want a confirmation"
			}
			return ""
		}, strings.ToUpper(kind), s.pattern)
		return
	}
}

// endSubscriptions: the client leaves them, and need not get what is on its way.
func (c *mixClient) endSubscriptions() {
	for _, s := range c.subs {
		s.left = s.left || s.to == 0
		s.ends(c.w.now)
	}
}

// publish sends a message: by itself, in a transaction or by a script. A publisher is one client and what it publishes by.
func (c *mixClient) publish() {
	r := c.w.rand
	p := &publication{channel: "news" + strconv.Itoa(r.IntN(3)), from: strconv.Itoa(c.number), sent: c.w.now}
	c.sent++
	p.number = c.sent
	done := func(reply string) string {
		p.done = c.w.now
		if reply[0] == '-' {
			return "want no error"
		}
		return ""
	}
	var d *deed
	switch r.IntN(6) {
	case 0:
		p.channel = "shard" + strconv.Itoa(r.IntN(3))
		d = c.say(done, "SPUBLISH", p.channel, c.text(p))
	case 1:
		p.from += " in transactions"
		c.expect("+OK\r\n", "MULTI")
		c.expect("+QUEUED\r\n", "PUBLISH", p.channel, c.text(p))
		d = c.say(done, "EXEC")
	case 2:
		key := c.key("log:")
		p.from += " by " + key
		d = c.say(done, "EVALSHA", c.w.scripts["publish"], "1", key, p.channel, c.text(p))
	default:
		d = c.say(done, "PUBLISH", p.channel, c.text(p))
	}
	d.failed = func(ran bool) { p.refused = !ran }
}

// text is what a message says, by which it is known.
func (c *mixClient) text(p *publication) string {
	text := fmt.Sprintf("%s: %d", p.from, p.number)
	c.w.news[text] = p
	return text
}
