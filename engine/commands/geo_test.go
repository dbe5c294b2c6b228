package commands_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/engine/zsets"
	"larder/protocol/command"
)

// gdraws draws commands on places: all over the world, in crowds, at the poles and at the date line.
type gdraws struct{ zdraws }

func (d *gdraws) key() string { return d.one("g1", "g1", "g2", "g3", "nokey", "str") }

func (d *gdraws) member() string { return "m" + strconv.Itoa(d.IntN(400)) }

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (d *gdraws) place() []string {
	lon, lat := d.Float64()*360-180, d.Float64()*170-85
	switch d.IntN(8) {
	case 0: // a town
		lon, lat = 13+d.Float64()/10, 52+d.Float64()/10
	case 1: // the date line
		lon = math.Copysign(180-d.Float64()*d.Float64()*d.Float64(), lon)
	case 2: // a pole
		lat = math.Copysign(85.05112878-d.Float64()*d.Float64()*5, lat)
	case 3:
		if d.IntN(8) == 0 {
			return []string{d.one("180", "-180", "0", "180.00001", "x", "inf", "nan", "1e300", "-0"), d.one("85.05112878", "-85.05112878", "0", "85.06", "", "-inf", "90")}
		}
	}
	return []string{decimal(lon), decimal(lat)}
}

// length is a number of metres, mostly, with its unit.
func (d *gdraws) length(n int) (out []string) {
	unit, per := "m", 1.0
	switch d.IntN(8) {
	case 0, 1, 2:
		unit, per = d.one("km", "KM"), 1000
	case 3:
		unit, per = "mi", 1609.34
	case 4:
		unit, per = "Ft", 0.3048
	case 5:
		unit = d.one("m", "m", "m", "m", "yd", "")
	}
	for range n {
		length := decimal(math.Exp(d.Float64()*18) / per)
		if d.IntN(40) == 0 {
			length = d.one("0", "-1", "x", "inf", "1e300", "1e-300")
		}
		out = append(out, length)
	}
	return append(out, unit)
}

func (d *gdraws) options(more ...[]string) []string {
	count := d.maybe(3, "COUNT", strconv.Itoa(1+d.IntN(30)))
	if d.IntN(40) == 0 {
		count = []string{"COUNT", d.one("0", "-1", "x")}
	}
	groups := slices.Concat(more, [][]string{count, d.maybe(2, d.one("ASC", "desc")), d.maybe(3, "WITHDIST"), d.maybe(3, "withcoord"), d.maybe(3, "WITHHASH")})
	if count != nil && d.IntN(3) == 0 || d.IntN(30) == 0 {
		groups = append(groups, []string{"ANY"})
	}
	return d.shuffled(groups...)
}

func (d *gdraws) store() []string {
	if d.IntN(3) > 0 {
		return nil
	}
	return []string{d.one("STORE", "storedist"), d.one("d1", "d2")}
}

func (d *gdraws) around() []string {
	from := join([]string{"FROMLONLAT"}, d.place())
	if d.IntN(2) == 0 {
		from = []string{"frommember", d.member()}
	}
	by := join([]string{"BYRADIUS"}, d.length(1))
	if d.IntN(2) == 0 {
		by = join([]string{"bybox"}, d.length(2))
	}
	return d.options(from, by, d.maybe(40, "FROMMEMBER", d.member()), d.maybe(40, "BYRADIUS", "1", "m"), d.maybe(40, "STOREDIST"))
}

func (d *gdraws) add() []string {
	args := join([]string{"GEOADD", d.key()}, d.shuffled(d.maybe(6, "NX"), d.maybe(6, "xx"), d.maybe(3, "CH")))
	for range 1 + d.IntN(8) {
		args = append(args, d.place()...)
		args = append(args, d.member())
	}
	return args
}

func (d *gdraws) command() (args []string) {
	switch d.IntN(16) {
	case 0, 1, 2:
		args = d.add()
	case 3:
		args = []string{"GEOPOS", d.key(), d.member(), d.member(), d.member()}
	case 4:
		args = []string{"GEOHASH", d.key(), d.member(), d.member()}
	case 5, 6:
		args = join([]string{"GEODIST", d.key(), d.member(), d.member()}, d.maybe(2, d.one("m", "KM", "mi", "ft", "x")))
	case 7:
		args = join([]string{d.one("GEORADIUS", "georadius_ro"), d.key()}, d.place(), d.length(1), d.options(d.store()))
	case 8:
		args = join([]string{d.one("GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"), d.key(), d.member()}, d.length(1), d.options(d.store()))
	case 9:
		args = join([]string{"GEOSEARCHSTORE", d.one("d1", "d2"), d.key()}, d.around())
	case 10:
		args = []string{d.one("ZSCORE", "ZRANK"), d.one("g1", "d1"), d.member()}
	case 11:
		args = []string{"SET", "str", "x"}
	case 12:
		args = []string{"ZRANGE", "g1", "0", "-1", "WITHSCORES"}
		if d.IntN(4) == 0 {
			args = []string{"ZADD", "g3", d.one("-1", "1.5", "1e300", "-1e300", "inf", "4503599627370496", "9223372036854775808", "18446744073709551616", "1e19"), d.member()}
		}
	default:
		args = join([]string{"GEOSEARCH", d.key()}, d.around())
	}
	if d.IntN(60) == 0 && args[0] != "ZRANK" { // 7.2's WITHSCORE is another number of arguments
		args = append(args, d.one("x", "ANY", "COUNT", "STOREDIST", "m"))
	}
	if d.IntN(60) == 0 {
		args = args[:1+d.IntN(len(args))]
	}
	return args
}

// TestPlacesAsRedis draws commands on places in small and in large sorted sets.
func TestPlacesAsRedis(t *testing.T) {
	for _, most := range []int{0, 128} {
		addr := startRedis(t, "--zset-max-listpack-entries", strconv.Itoa(most))
		for _, proto := range []int{2, 3} {
			p := newPair(t, addr, proto)
			p.ours.call.Limits.ZSet = zsets.Limits{EntriesMax: most, ValueMax: 64}
			d := &gdraws{zdraws{rand.New(rand.NewPCG(*seedFlag, uint64(most)))}}
			for range 3 {
				for range 150 {
					var cmds [][]string
					for range 20 {
						cmds = append(cmds, d.command())
					}
					p.run(cmds)
				}
				p.fresh()
			}
		}
	}
}

// TestPlaceChangesAsRedis compares the count of changes with the server's own.
func TestPlaceChangesAsRedis(t *testing.T) {
	p := newPair(t, startRedis(t), 2)
	d := &gdraws{zdraws{rand.New(rand.NewPCG(*seedFlag, 8))}}
	before := p.changes()
	for range 1500 {
		args := d.command()
		p.ours.call.Changed = 0
		p.run([][]string{args})
		if row, _ := command.Resolve(views(args)); row == nil {
			continue
		}
		after := p.changes()
		if n := p.ours.call.Changed; n != after-before {
			t.Fatalf("%q: changed %d, redis %d", args, n, after-before)
		}
		before = after
	}
}

// TestStoreTwice: what was not found as a key is not written.
func TestStoreTwice(t *testing.T) {
	n := newNode(t, 2)
	n.do("GEOADD", "g", "1", "1", "m")
	for _, line := range []string{
		"GEORADIUS g 1 1 5 km STORE a STORE b",
		"GEORADIUS g 1 1 5 km STORE STOREDIST STOREDIST b",
		"GEORADIUSBYMEMBER g m 5 km STOREDIST a STOREDIST b",
	} {
		if got := n.do(strings.Fields(line)...); got != "-ERR syntax error\r\n" {
			t.Errorf("%s: %q", line, got)
		}
	}
	for _, line := range []string{"GEORADIUS g 1 1 5 km STORE a STOREDIST b", "GEORADIUS g 1 1 5 km STORE g"} {
		if got := n.do(strings.Fields(line)...); got != ":1\r\n" {
			t.Errorf("%s: %q", line, got)
		}
	}
}
