package router

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The line form of a topology travels in the dialect (ASSIGN, -STALE), so it is one line of printable ASCII:
//
//	line    = "1" SP cluster SP epoch *( SP shard )          the 1 is the form's version
//	shard   = node *( "," node ) "=" [ range *( "," range ) ]   the first node is the primary
//	node    = id "@" addr [ "!" ]                            "!" marks a stock server
//	range   = slot [ "-" slot ]
//
// cluster, id and addr are escaped: every byte but letters, digits and "._:[]/-" is %XX. An empty cluster name is a lone "-" (a cluster that is named
// "-" is "%2D"). Line is canonical: equal topologies give equal lines.

const lineVersion = "1"

// Line is the topology in one line, without CR or LF.
func (t *Topology) Line() string {
	line := append(make([]byte, 0, 64+64*len(t.Shards)), lineVersion...)
	line = append(line, ' ')
	switch t.Cluster {
	case "":
		line = append(line, '-')
	case "-":
		line = append(line, "%2D"...)
	default:
		line = appendEscaped(line, t.Cluster)
	}
	line = append(line, ' ')
	line = strconv.AppendUint(line, t.Epoch, 10)
	for _, shard := range t.Shards {
		line = append(line, ' ')
		line = appendNode(line, shard.Primary)
		for _, node := range shard.Replicas {
			line = append(line, ',')
			line = appendNode(line, node)
		}
		line = append(line, '=')
		line = AppendRanges(line, shard.Slots)
	}
	return string(line)
}

// AppendRanges appends ranges as text, "0-5455,8000": the form of LARDER HELLO's "slots" and of topology lines.
func AppendRanges(dst []byte, ranges []Range) []byte {
	for i, r := range ranges {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(r.From), 10)
		if r.To != r.From {
			dst = append(dst, '-')
			dst = strconv.AppendInt(dst, int64(r.To), 10)
		}
	}
	return dst
}

// ParseRanges reads what AppendRanges writes; the empty text is no ranges. It checks each range by itself, New checks them together.
func ParseRanges(text string) ([]Range, error) {
	if text == "" {
		return nil, nil
	}
	var ranges []Range
	for word := range strings.SplitSeq(text, ",") {
		r, err := parseRange(word)
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, r)
	}
	return ranges, nil
}

func parseRange(word string) (Range, error) {
	first, last, many := strings.Cut(word, "-")
	if !many {
		last = first
	}
	from, okFrom := parseDecimal(first)
	to, okTo := parseDecimal(last)
	if !okFrom || !okTo || from > to || to >= Slots {
		return Range{}, fmt.Errorf("slots %q: want a slot or from-to, from 0 to %d", word, Slots-1)
	}
	return Range{From: int(from), To: int(to)}, nil
}

// ParseLine reads what Line wrote.
func ParseLine(line string) (*Topology, error) {
	words := strings.Split(line, " ")
	if words[0] != lineVersion {
		return nil, fmt.Errorf("parse topology line: version %q: want %s", words[0], lineVersion)
	}
	const fixedWords = 3 // version, cluster, epoch
	if len(words) < fixedWords {
		return nil, errors.New("parse topology line: it is cut short: want version, cluster, epoch and shards")
	}
	cluster, err := parseName("cluster", words[1])
	if err != nil {
		return nil, fmt.Errorf("parse topology line: %w", err)
	}
	epoch, ok := parseDecimal(words[2])
	if !ok {
		return nil, fmt.Errorf("parse topology line: epoch %q: want a number from 0 to 2^64-1", words[2])
	}
	shards := make([]Shard, 0, len(words)-fixedWords)
	for i, word := range words[fixedWords:] {
		shard, err := parseShard(word)
		if err != nil {
			return nil, fmt.Errorf("parse topology line: shard %d: %w", i, err)
		}
		shards = append(shards, shard)
	}
	t, err := New(cluster, epoch, shards)
	if err != nil {
		return nil, fmt.Errorf("parse topology line: %w", err)
	}
	return t, nil
}

func parseShard(word string) (Shard, error) {
	nodes, slots, ok := strings.Cut(word, "=")
	if !ok {
		return Shard{}, fmt.Errorf("%q: want nodes=slots", word)
	}
	var shard Shard
	for i, text := range strings.Split(nodes, ",") {
		node, err := parseNode(text)
		if err != nil {
			return Shard{}, err
		}
		if i == 0 {
			shard.Primary = node
		} else {
			shard.Replicas = append(shard.Replicas, node)
		}
	}
	var err error
	shard.Slots, err = ParseRanges(slots)
	return shard, err
}

func appendNode(dst []byte, n Node) []byte {
	dst = appendEscaped(dst, n.ID)
	dst = append(dst, '@')
	dst = appendEscaped(dst, n.Addr)
	if n.External {
		dst = append(dst, '!')
	}
	return dst
}

func parseNode(text string) (Node, error) {
	text, external := strings.CutSuffix(text, "!")
	id, addr, ok := strings.Cut(text, "@")
	if !ok {
		return Node{}, fmt.Errorf("node %q: want id@host:port", text)
	}
	node := Node{External: external}
	var err error
	if node.ID, err = unescape(id); err != nil {
		return Node{}, fmt.Errorf("node %q: id: %w", text, err)
	}
	if node.Addr, err = unescape(addr); err != nil {
		return Node{}, fmt.Errorf("node %q: address: %w", text, err)
	}
	return node, nil
}

func parseName(what, word string) (string, error) {
	if word == "-" {
		return "", nil
	}
	name, err := unescape(word)
	if err == nil && name == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", fmt.Errorf("%s %q: %w", what, word, err)
	}
	return name, nil
}

func plain(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	default:
		return strings.IndexByte("._:[]/-", c) >= 0
	}
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; plain(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func unescape(s string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case plain(c):
			out.WriteByte(c)
		case c == '%' && i+2 < len(s):
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", fmt.Errorf("%q is no escape", s[i:i+3])
			}
			out.WriteByte(byte(n))
			i += 2
		default:
			return "", fmt.Errorf("byte %q must be escaped", c)
		}
	}
	return out.String(), nil
}

// parseDecimal reads an unsigned number in its only form: digits, no sign, no leading zero.
func parseDecimal(s string) (uint64, bool) {
	if s == "" || s[0] == '+' || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}
