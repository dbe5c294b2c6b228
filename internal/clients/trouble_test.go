package clients_test

import (
	"math/rand/v2"
	"time"

	"larder/internal/peers"
)

// troubles are what networks do to a link, each until the link is healed.
var troubles = []struct {
	name string
	do   func(d *rand.Rand, l *peers.Link)
}{
	{"all connections break", func(_ *rand.Rand, l *peers.Link) { l.Cut() }},
	{"nobody can connect", func(_ *rand.Rand, l *peers.Link) { l.Open(false) }},
	{"connections are reset", func(d *rand.Rand, l *peers.Link) {
		l.Ail("reset_peer", peers.Down, map[string]int{"timeout": d.IntN(30)})
		l.Cut() // those that are made from now on are reset, the others would end in order
	}},
	{"all is lost, and connections end after a while", func(d *rand.Rand, l *peers.Link) {
		l.Ail("timeout", peers.Down, map[string]int{"timeout": 1 + d.IntN(100)})
	}},
	{"half-open: what the server says is lost", func(_ *rand.Rand, l *peers.Link) { l.Ail("timeout", peers.Down, map[string]int{"timeout": 0}) }},
	{"half-open: what the client says is lost", func(_ *rand.Rand, l *peers.Link) { l.Ail("timeout", peers.Up, map[string]int{"timeout": 0}) }},
	{"slow", func(d *rand.Rand, l *peers.Link) {
		l.Ail("latency", peers.Up, map[string]int{"latency": d.IntN(40), "jitter": d.IntN(40)})
		l.Ail("bandwidth", peers.Down, map[string]int{"rate": 50 + d.IntN(2000)})
	}},
	{"in small pieces", func(d *rand.Rand, l *peers.Link) {
		l.Ail("slicer", peers.Down, map[string]int{"average_size": 20 + d.IntN(500), "size_variation": 10, "delay": d.IntN(50)})
	}},
	{"connections break at a byte", func(d *rand.Rand, l *peers.Link) {
		l.Ail("limit_data", peers.Down, map[string]int{"bytes": d.IntN(50_000)})
	}},
}

// troubled does all that networks do to a link, in an order that is drawn: each when the link is up, and with what is to be done meanwhile. It leaves the link
// healthy.
func troubled(d *rand.Rand, l *peers.Link, up, meanwhile func()) {
	for _, i := range d.Perm(len(troubles)) {
		up()
		troubles[i].do(d, l)
		meanwhile()
		time.Sleep(time.Duration(d.IntN(60)) * time.Millisecond) // how long it lasts is what is drawn
		heal(l)
	}
}

// heal ends all troubles of a link.
func heal(l *peers.Link) {
	l.Heal()
	l.Open(true)
}
