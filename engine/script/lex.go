package script

import (
	"fmt"
	"strings"
)

type token int

// The tokens that are more than one character; others are their character.
const (
	tokEOF token = iota + 256
	tokName
	tokString
	tokNumber
	tokConcat
	tokDots
	tokEQ
	tokLE
	tokGE
	tokNE
	tokAnd
	tokBreak
	tokDo
	tokElse
	tokElseIf
	tokEnd
	tokFalse
	tokFor
	tokFunction
	tokIf
	tokIn
	tokLocal
	tokNil
	tokNot
	tokOr
	tokRepeat
	tokReturn
	tokThen
	tokTrue
	tokUntil
	tokWhile
)

var keywords = map[string]token{
	"and": tokAnd, "break": tokBreak, "do": tokDo, "else": tokElse, "elseif": tokElseIf, "end": tokEnd, "false": tokFalse, "for": tokFor,
	"function": tokFunction, "if": tokIf, "in": tokIn, "local": tokLocal, "nil": tokNil, "not": tokNot, "or": tokOr, "repeat": tokRepeat,
	"return": tokReturn, "then": tokThen, "true": tokTrue, "until": tokUntil, "while": tokWhile,
}

var tokenTexts = map[token]string{
	tokEOF: "<eof>", tokName: "<name>", tokString: "<string>", tokNumber: "<number>", tokConcat: "..", tokDots: "...", tokEQ: "==", tokLE: "<=",
	tokGE: ">=", tokNE: "~=",
}

func (t token) String() string {
	if s, ok := tokenTexts[t]; ok {
		return s
	}
	for word, k := range keywords {
		if k == t {
			return word
		}
	}
	if t < ' ' {
		return fmt.Sprintf("char(%d)", int(t))
	}
	return string([]byte{byte(t)})
}

// lexer cuts a program into tokens. Faults are raised as luaErrors.
type lexer struct {
	src    string
	name   string // of the chunk, in messages
	pos    int
	line   int
	raw    string // what messages show of the name, string or number that was read last
	start  int    // of the present token
	last   int    // line of the token before
	tok    token
	text   string  // of a name or string
	number float64 // of a number

	ahead bool // next has been read already
	next  lexed
}

type lexed struct {
	tok         token
	text        string
	number      float64
	start, line int
	end         int
}

func (x *lexer) fail(message, near string) {
	text := fmt.Sprintf("%s:%d: %s", x.name, x.line, message)
	if near != "" {
		text += " near '" + near + "'"
	}
	panic(&luaError{value: constant(text), source: x.name, line: x.line})
}

// near is the present token as messages show it.
func (x *lexer) near() string {
	switch x.tok {
	case tokName, tokString, tokNumber:
		return x.raw
	}
	return x.tok.String()
}

func (x *lexer) syntax(message string) { x.fail(message, x.near()) }

// advance reads the next token.
func (x *lexer) advance() {
	x.last = x.line
	if x.ahead {
		n := x.next
		x.tok, x.text, x.number, x.start, x.line, x.pos, x.ahead = n.tok, n.text, n.number, n.start, n.line, n.end, false
		return
	}
	x.tok = x.read()
}

// peek gives the token behind the present one.
func (x *lexer) peek() token {
	if !x.ahead {
		now := lexed{x.tok, x.text, x.number, x.start, x.line, x.pos}
		tok := x.read()
		x.next = lexed{tok, x.text, x.number, x.start, x.line, x.pos}
		x.tok, x.text, x.number, x.start, x.line, x.pos = now.tok, now.text, now.number, now.start, now.line, now.end
		x.ahead = true
	}
	return x.next.tok
}

func (x *lexer) at(i int) byte {
	if x.pos+i < len(x.src) {
		return x.src[x.pos+i]
	}
	return 0
}

func (x *lexer) read() token {
	for x.pos < len(x.src) {
		c := x.src[x.pos]
		x.start = x.pos
		switch {
		case c == '\n' || c == '\r':
			x.newline()
		case strings.IndexByte(blanks, c) >= 0:
			x.pos++
		case c == '-' && x.at(1) == '-':
			x.comment()
		case isAlpha(c):
			return x.word()
		case isDigit(c) || c == '.' && isDigit(x.at(1)):
			return x.numeral()
		case c == '"' || c == '\'':
			return x.quoted(c)
		case c == '[':
			if level := x.longLevel(); level >= 0 {
				x.text = x.long(level, "string")
				x.raw = x.src[x.start:x.pos]
				return tokString
			} else if level == -2 {
				x.pos++
				for x.at(0) == '=' {
					x.pos++
				}
				x.fail("invalid long string delimiter", x.src[x.start:x.pos])
			}
			x.pos++
			return '['
		default:
			return x.operator(c)
		}
	}
	x.start = x.pos
	return tokEOF
}

func (x *lexer) operator(c byte) token {
	pairs := [...]struct {
		text string
		tok  token
	}{{"...", tokDots}, {"..", tokConcat}, {"==", tokEQ}, {"<=", tokLE}, {">=", tokGE}, {"~=", tokNE}}
	for _, p := range pairs {
		if strings.HasPrefix(x.src[x.pos:], p.text) {
			x.pos += len(p.text)
			return p.tok
		}
	}
	x.pos++
	return token(c)
}

// newline passes the end of a line: CR LF and LF CR are one.
func (x *lexer) newline() {
	c := x.src[x.pos]
	x.pos++
	if d := x.at(0); (d == '\n' || d == '\r') && d != c {
		x.pos++
	}
	x.line++
}

func (x *lexer) comment() {
	x.pos += 2
	if x.at(0) == '[' {
		if level := x.longLevel(); level >= 0 {
			x.long(level, "comment")
			return
		}
	}
	for x.pos < len(x.src) && x.src[x.pos] != '\n' && x.src[x.pos] != '\r' {
		x.pos++
	}
}

// longLevel counts the = of a long bracket; -1: it is none, -2: it begins like one.
func (x *lexer) longLevel() int {
	i := 1
	for x.at(i) == '=' {
		i++
	}
	switch {
	case x.at(i) == '[':
		return i - 1
	case i > 1:
		return -2
	}
	return -1
}

func (x *lexer) long(level int, what string) string {
	closing := "]" + strings.Repeat("=", level) + "]"
	x.pos += level + 2
	if x.pos < len(x.src) && (x.src[x.pos] == '\n' || x.src[x.pos] == '\r') {
		x.newline()
	}
	var out strings.Builder
	for x.pos < len(x.src) {
		c := x.src[x.pos]
		switch {
		case c == ']' && strings.HasPrefix(x.src[x.pos:], closing):
			x.pos += len(closing)
			return out.String()
		case c == '\n' || c == '\r':
			x.newline()
			out.WriteByte('\n')
		default:
			out.WriteByte(c)
			x.pos++
		}
	}
	x.fail("unfinished long "+what, "<eof>")
	return ""
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }

func (x *lexer) word() token {
	for x.pos < len(x.src) && isAlnum(x.src[x.pos]) {
		x.pos++
	}
	x.text = x.src[x.start:x.pos]
	x.raw = x.text
	if k, ok := keywords[x.text]; ok {
		return k
	}
	return tokName
}

func (x *lexer) numeral() token {
	for isDigit(x.at(0)) || x.at(0) == '.' {
		x.pos++
	}
	if x.at(0)|0x20 == 'e' {
		x.pos++
		if x.at(0) == '+' || x.at(0) == '-' {
			x.pos++
		}
	}
	for isAlnum(x.at(0)) {
		x.pos++
	}
	x.raw = x.src[x.start:x.pos]
	n, ok := parseNumber(x.raw)
	if !ok {
		x.fail("malformed number", x.raw)
	}
	x.number = n
	return tokNumber
}

func (x *lexer) quoted(quote byte) token {
	x.pos++
	var out strings.Builder
	for {
		if x.pos >= len(x.src) {
			x.fail("unfinished string", "<eof>")
		}
		c := x.src[x.pos]
		switch c {
		case quote:
			x.pos++
			x.text = out.String()
			x.raw = string(quote) + x.text + string(quote)
			return tokString
		case '\n', '\r':
			x.fail("unfinished string", string(quote)+out.String())
		case '\\':
			x.escape(&out, quote)
		default:
			out.WriteByte(c)
			x.pos++
		}
	}
}

// escape reads what follows a backslash. Messages show what was read of the string, without the escape itself.
func (x *lexer) escape(out *strings.Builder, quote byte) {
	x.pos++
	if x.pos >= len(x.src) {
		return
	}
	c := x.src[x.pos]
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		out.WriteByte("\a\b\f\n\r\t\v"[i])
		x.pos++
		return
	}
	switch {
	case c == '\n' || c == '\r':
		x.newline()
		out.WriteByte('\n')
	case isDigit(c):
		n := 0
		for i := 0; i < 3 && isDigit(x.at(0)); i++ {
			n = n*10 + int(x.at(0)-'0')
			x.pos++
		}
		if n > 255 {
			x.fail("escape sequence too large", string(quote)+out.String())
		}
		out.WriteByte(byte(n))
	default:
		out.WriteByte(c)
		x.pos++
	}
}
