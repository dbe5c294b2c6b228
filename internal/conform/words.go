package conform

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// word is one argument of a scripted command. A macro is a bare word that begins with '@' and is worked out when it is sent:
//
//	@s+10     the time in seconds, 10 from now (also @s-10)
//	@ms-500   in milliseconds
//	@rep:N:x  x, N times
//	@bytes:N  N bytes that run through all values
//	@@x       the text @x
type word struct {
	text  string
	macro bool
}

// splitWords cuts a line as redis-cli does: bare words, "…" with \n \r \t \b \a \\ \" and \xHH, '…' with \'. A quote must end where its word ends.
func splitWords(line string) ([]word, error) {
	var out []word
	for i := 0; ; {
		for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
			i++
		}
		if i == len(line) {
			return out, nil
		}
		w, n, err := nextWord(line[i:])
		if err != nil {
			return nil, fmt.Errorf("word %d: %w", len(out)+1, err)
		}
		i += n
		if i < len(line) && line[i] != ' ' && line[i] != '\t' {
			return nil, fmt.Errorf("word %d: no blank behind its quote", len(out)+1)
		}
		out = append(out, w)
	}
}

func nextWord(s string) (word, int, error) {
	switch s[0] {
	case '"':
		return doubleQuoted(s)
	case '\'':
		return singleQuoted(s)
	}
	end := strings.IndexAny(s, " \t")
	if end < 0 {
		end = len(s)
	}
	text := s[:end]
	if strings.HasPrefix(text, "@@") {
		return word{text: text[1:]}, end, nil
	}
	if text[0] != '@' {
		return word{text: text}, end, nil
	}
	if _, err := expand(text, time.Unix(0, 0)); err != nil {
		return word{}, 0, err
	}
	return word{text: text, macro: true}, end, nil
}

func singleQuoted(s string) (word, int, error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '\'':
			i++
			b.WriteByte('\'')
		case s[i] == '\'':
			return word{text: b.String()}, i + 1, nil
		default:
			b.WriteByte(s[i])
		}
	}
	return word{}, 0, errors.New("' is not closed")
}

func doubleQuoted(s string) (word, int, error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x':
			n, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			if err != nil {
				return word{}, 0, fmt.Errorf("%q is no byte", s[i:i+4])
			}
			b.WriteByte(byte(n))
			i += 3
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(escaped(s[i]))
		case s[i] == '"':
			return word{text: b.String()}, i + 1, nil
		default:
			b.WriteByte(s[i])
		}
	}
	return word{}, 0, errors.New(`" is not closed`)
}

func escaped(c byte) byte {
	if at := strings.IndexByte("nrtba", c); at >= 0 {
		return "\n\r\t\b\a"[at]
	}
	return c
}

// expand is the text of a macro at a time.
func expand(macro string, now time.Time) (string, error) {
	name, arg, _ := strings.Cut(macro[1:], ":")
	switch {
	case name == "rep":
		count, text, _ := strings.Cut(arg, ":")
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 {
			return "", fmt.Errorf("%s: want @rep:N:text", macro)
		}
		return strings.Repeat(text, n), nil
	case name == "bytes":
		n, err := strconv.Atoi(arg)
		if err != nil || n < 0 {
			return "", fmt.Errorf("%s: want @bytes:N", macro)
		}
		return string(allBytes(n)), nil
	case strings.HasPrefix(name, "ms"):
		return expandTime(macro, name[2:], now.UnixMilli())
	case strings.HasPrefix(name, "s"):
		return expandTime(macro, name[1:], now.Unix())
	}
	return "", fmt.Errorf("%s: no such macro", macro)
}

func expandTime(macro, offset string, now int64) (string, error) {
	if offset == "" {
		return strconv.FormatInt(now, 10), nil
	}
	n, err := strconv.ParseInt(offset, 10, 64)
	if err != nil {
		return "", fmt.Errorf("%s: want @s+N, @s-N, @ms+N or @ms-N", macro)
	}
	return strconv.FormatInt(now+n, 10), nil
}

func allBytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i)
	}
	return out
}

// expandAll gives the arguments of a command at a time.
func expandAll(words []word, now time.Time) [][]byte {
	args := make([][]byte, len(words))
	for i, w := range words {
		text := w.text
		if w.macro {
			text, _ = expand(w.text, now) // checked when it was parsed
		}
		args[i] = []byte(text)
	}
	return args
}

// Quote writes a command as a script would.
func Quote(args [][]byte) string {
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(quoteWord(a))
	}
	return b.String()
}

func quoteWord(a []byte) string {
	const longest = 200 // bytes: it is for people; a repeated byte is written short
	if len(a) > longest && bytes.Count(a, a[:1]) == len(a) && a[0] > ' ' && a[0] < 0x7f {
		return fmt.Sprintf("@rep:%d:%c", len(a), a[0])
	}
	if len(a) > longest && bytes.Equal(a, allBytes(len(a))) {
		return fmt.Sprintf("@bytes:%d", len(a))
	}
	plain := len(a) > 0 && a[0] != '@' && a[0] != '#' && a[0] != '='
	for _, c := range a {
		plain = plain && c > ' ' && c < 0x7f && c != '"' && c != '\''
	}
	if plain {
		return string(a)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range a {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
