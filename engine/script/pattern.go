package script

import "strings"

// Limits of a pattern.
const (
	capturesOfPattern = 32
	patternDepth      = 2000
)

const (
	captureOpen     = -1 // its end is not found yet
	capturePosition = -2
)

// matcher is one match of a pattern. Every step is counted: patterns can take very long.
type matcher struct {
	th       *thread
	src, pat string
	depth    int
	level    int
	caps     [capturesOfPattern]struct{ from, n int }
}

// match gives the end of a match of pat[p:] at src[s:], -1 if there is none.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > patternDepth {
		m.th.fail("pattern too complex")
	}
	defer func() { m.depth-- }()
	for {
		m.th.steps(1)
		if p >= len(m.pat) {
			return s
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.open(s, p+2, capturePosition)
			}
			return m.open(s, p+1, captureOpen)
		case ')':
			return m.close(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		case '%':
			if next, after, special := m.percent(s, p); special {
				if next < 0 {
					return -1
				}
				s, p = next, after
				continue
			}
		}
		end := m.classEnd(p)
		var suffix byte
		if end < len(m.pat) {
			suffix = m.pat[end]
		}
		hit := s < len(m.src) && m.single(m.src[s], p, end)
		switch suffix {
		case '?':
			if hit {
				if r := m.match(s+1, end+1); r >= 0 {
					return r
				}
			}
			p = end + 1
		case '*':
			return m.most(s, p, end)
		case '+':
			if !hit {
				return -1
			}
			return m.most(s+1, p, end)
		case '-':
			return m.least(s, p, end)
		default:
			if !hit {
				return -1
			}
			s++
			p = end
		}
	}
}

// percent matches what % begins that is no class: a balance, a frontier, a capture again. next is -1 if it does not match.
func (m *matcher) percent(s, p int) (next, after int, special bool) {
	if p+1 >= len(m.pat) {
		return 0, 0, false
	}
	switch c := m.pat[p+1]; {
	case c == 'b':
		return m.balance(s, p+2), p + 4, true
	case c == 'f':
		next, after = m.frontier(s, p+2)
		return next, after, true
	case isDigit(c):
		return m.backReference(s, c), p + 2, true
	}
	return 0, 0, false
}

func (m *matcher) frontier(s, p int) (next, after int) {
	if p >= len(m.pat) || m.pat[p] != '[' {
		m.th.fail("missing '[' after '%f' in pattern")
	}
	end := m.classEnd(p)
	before, now := byte(0), byte(0)
	if s > 0 {
		before = m.src[s-1]
	}
	if s < len(m.src) {
		now = m.src[s]
	}
	if m.inSet(before, p, end-1) || !m.inSet(now, p, end-1) {
		return -1, end
	}
	return s, end
}

func (m *matcher) classEnd(p int) int {
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p >= len(m.pat) {
			m.th.fail("malformed pattern (ends with '%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; ; first = false {
			if p >= len(m.pat) {
				m.th.fail("malformed pattern (missing ']')")
			}
			c := m.pat[p]
			p++
			if c == ']' && !first {
				return p
			}
			if c == '%' {
				if p >= len(m.pat) {
					m.th.fail("malformed pattern (missing ']')")
				}
				p++
			}
		}
	}
	return p
}

func (m *matcher) single(c byte, p, end int) bool {
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, end-1)
	}
	return m.pat[p] == c
}

// inSet tells whether c is in the set from pat[p], a [, to pat[last], its ].
func (m *matcher) inSet(c byte, p, last int) bool {
	in := true
	p++
	if m.pat[p] == '^' {
		in = false
		p++
	}
	for ; p < last; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if inClass(c, m.pat[p]) {
				return in
			}
		case p+2 < last && m.pat[p+1] == '-':
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return in
			}
			p += 2
		case m.pat[p] == c:
			return in
		}
	}
	return !in
}

func inClass(c, class byte) bool {
	var in bool
	switch class | 0x20 {
	case 'a':
		in = c|0x20 >= 'a' && c|0x20 <= 'z'
	case 'c':
		in = c < 32 || c == 127
	case 'd':
		in = isDigit(c)
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > 32 && c < 127 && (!isAlnum(c) || c == '_')
	case 's':
		in = strings.IndexByte(blanks, c) >= 0
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = isAlnum(c) && c != '_'
	case 'x':
		in = isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if class >= 'A' && class <= 'Z' {
		return !in
	}
	if class < 'a' {
		return class == c
	}
	return in
}

func (m *matcher) most(s, p, end int) int {
	n := 0
	for s+n < len(m.src) && m.single(m.src[s+n], p, end) {
		n++
	}
	m.th.steps(n)
	for ; n >= 0; n-- {
		if r := m.match(s+n, end+1); r >= 0 {
			return r
		}
	}
	return -1
}

func (m *matcher) least(s, p, end int) int {
	for {
		if r := m.match(s, end+1); r >= 0 {
			return r
		}
		if s >= len(m.src) || !m.single(m.src[s], p, end) {
			return -1
		}
		s++
	}
}

func (m *matcher) open(s, p, what int) int {
	if m.level >= capturesOfPattern {
		m.th.fail("too many captures")
	}
	m.caps[m.level].from, m.caps[m.level].n = s, what
	m.level++
	r := m.match(s, p)
	if r < 0 {
		m.level--
	}
	return r
}

func (m *matcher) close(s, p int) int {
	for i := m.level - 1; i >= 0; i-- {
		if m.caps[i].n == captureOpen {
			m.caps[i].n = s - m.caps[i].from
			r := m.match(s, p)
			if r < 0 {
				m.caps[i].n = captureOpen
			}
			return r
		}
	}
	m.th.fail("invalid pattern capture")
	return -1
}

func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		m.th.fail("unbalanced pattern")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	depth := 1
	for i := s + 1; i < len(m.src); i++ {
		m.th.steps(1)
		switch m.src[i] {
		case m.pat[p+1]:
			if depth--; depth == 0 {
				return i + 1
			}
		case m.pat[p]:
			depth++
		}
	}
	return -1
}

func (m *matcher) backReference(s int, digit byte) int {
	i := int(digit) - '1'
	if i < 0 || i >= m.level || m.caps[i].n == captureOpen {
		m.th.fail("invalid capture index")
	}
	c := m.caps[i]
	if c.n >= 0 && strings.HasPrefix(m.src[s:], m.src[c.from:c.from+c.n]) {
		return s + c.n
	}
	return -1
}

// capture is the i-th capture; of a pattern without any the first is the whole match.
func (m *matcher) capture(i, from, to int) Value {
	if i >= m.level {
		if i != 0 {
			m.th.fail("invalid capture index")
		}
		return m.th.vm.text(m.src[from:to])
	}
	c := m.caps[i]
	switch c.n {
	case captureOpen:
		m.th.fail("unfinished capture")
	case capturePosition:
		return num(float64(c.from + 1))
	}
	return m.th.vm.text(m.src[c.from : c.from+c.n])
}

func (m *matcher) captures(from, to int, whole bool) []Value {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	out := make([]Value, n, n+2)
	for i := range out {
		out[i] = m.capture(i, from, to)
	}
	return out
}

// search finds the first match from init on.
func (m *matcher) search(init int) (from, to int) {
	p := 0
	anchored := strings.HasPrefix(m.pat, "^")
	if anchored {
		p = 1
	}
	for s := init; s <= len(m.src); s++ {
		m.level = 0
		if e := m.match(s, p); e >= 0 {
			return s, e
		}
		if anchored {
			break
		}
	}
	return -1, -1
}
