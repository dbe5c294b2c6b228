package command

import (
	"bytes"
	"strings"
)

// quotedMax bounds each name and all arguments together that an error repeats, in bytes (Redis 7.0 server.c, rejectCommand's "%.128s").
const quotedMax = 128

// Resolve finds the row that runs args: of a container the subcommand. With it comes "", else nil and the whole error that Redis 7.0 gives
// (unknown command, unknown subcommand, wrong number of arguments), without the leading minus. args must not be empty.
func Resolve(args [][]byte) (*Row, string) {
	r := Lookup(args[0])
	if r == nil {
		return nil, UnknownError(args)
	}
	return r.Resolve(args)
}

// Resolve is the package's Resolve for a command that was looked up.
func (r *Row) Resolve(args [][]byte) (*Row, string) {
	if len(r.Subs)+len(r.own) > 0 && len(args) > 1 {
		sub := r.Sub(args[1])
		if sub == nil {
			return nil, UnknownSubError(r, args[1])
		}
		r = sub
	}
	if !r.ArityOK(len(args)) {
		return nil, ArityError(r)
	}
	return r, ""
}

// UnknownError is the answer to a command that no row knows. Arguments follow while what is quoted of them is below 128 bytes; each is
// cut to what was left of the 128 before its own quotes.
func UnknownError(args [][]byte) string {
	var b, rest strings.Builder
	for _, a := range args[1:] {
		if rest.Len() >= quotedMax {
			break
		}
		quote(&rest, a, quotedMax-rest.Len())
		rest.WriteByte(' ')
	}
	b.WriteString("ERR unknown command ")
	quote(&b, args[0], quotedMax)
	b.WriteString(", with args beginning with: ")
	b.WriteString(rest.String())
	return b.String()
}

// UnknownSubError is the answer to a subcommand that the container row does not have.
func UnknownSubError(row *Row, sub []byte) string {
	var b strings.Builder
	b.WriteString("ERR unknown subcommand ")
	quote(&b, sub, quotedMax)
	b.WriteString(". Try ")
	b.WriteString(strings.ToUpper(row.Name))
	b.WriteString(" HELP.")
	return b.String()
}

// SubArgumentsError is the answer to a subcommand that has more or other arguments than it knows, where its row cannot tell.
func SubArgumentsError(args [][]byte) string {
	var b strings.Builder
	b.WriteString("ERR unknown subcommand or wrong number of arguments for ")
	quote(&b, args[1], quotedMax)
	b.WriteString(". Try ")
	b.WriteString(strings.ToUpper(Lookup(args[0]).Name))
	b.WriteString(" HELP.")
	return b.String()
}

// ArityError is the answer to a command whose ArityOK is false.
func ArityError(row *Row) string {
	return "ERR wrong number of arguments for '" + row.Name + "' command"
}

// quote writes at most limit bytes of what a client sent, in quotes: up to its first NUL, since Redis formats it as a C string, and with
// line ends as blanks, since an error is one line.
func quote(b *strings.Builder, text []byte, limit int) {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	b.WriteByte('\'')
	for _, c := range text[:min(len(text), limit)] {
		if c == '\r' || c == '\n' {
			c = ' '
		}
		b.WriteByte(c)
	}
	b.WriteByte('\'')
}

// Quote is what an error repeats of an argument, in quotes, as Redis's "'%s'" does.
func Quote(arg []byte) string {
	var b strings.Builder
	quote(&b, arg, len(arg))
	return b.String()
}
