package resp_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// The naive parsers take all input at once, recurse, and copy. They are written after what Redis 7.0 does (networking.c, sds.c), with none of the code
// under test.

const naiveLineMax = 64 << 10

// naiveRequests gives all commands as texts, and the error that ends them, if one does.
func naiveRequests(in string) []string {
	var seen []string
	for in != "" {
		var args []string
		var rest, failure string
		var whole bool
		if in[0] == '*' {
			args, rest, failure, whole = naiveMultibulk(in)
		} else {
			args, rest, failure, whole = naiveInline(in)
		}
		if failure != "" {
			return append(seen, "ERR Protocol error: "+failure)
		}
		if !whole {
			return seen
		}
		if len(args) > 0 {
			seen = append(seen, fmt.Sprintf("%q", args))
		}
		in = rest
	}
	return seen
}

// naiveLine is C's strchr: a NUL ends the search.
func naiveLine(in string, end byte, tooLong string) (line, rest, failure string, whole bool) {
	at := strings.IndexByte(in, end)
	if nul := strings.IndexByte(in, 0); nul >= 0 && (at < 0 || nul < at) {
		at = -1
	}
	if at > naiveLineMax || at < 0 && len(in) > naiveLineMax {
		return "", "", tooLong, false
	}
	if at < 0 || end == '\r' && at+1 == len(in) {
		return "", "", "", false
	}
	if end == '\r' {
		return in[:at], in[at+2:], "", true
	}
	return in[:at], in[at+1:], "", true
}

func naiveNumber(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}

func naiveMultibulk(in string) (args []string, rest, failure string, whole bool) {
	line, rest, failure, whole := naiveLine(in, '\r', "too big mbulk count string")
	if !whole {
		return nil, "", failure, false
	}
	count, ok := naiveNumber(line[1:])
	if !ok || count > 1<<31-1 {
		return nil, "", "invalid multibulk length", false
	}
	for ; count > 0; count-- {
		line, after, failure, whole := naiveLine(rest, '\r', "too big bulk count string")
		if !whole {
			return nil, "", failure, false
		}
		if !strings.HasPrefix(line, "$") {
			got := " "
			if line != "" && line[0] != '\n' {
				got = line[:1]
			}
			return nil, "", "expected '$', got '" + got + "'", false
		}
		size, ok := naiveNumber(line[1:])
		if !ok || size < 0 || size > 512<<20 {
			return nil, "", "invalid bulk length", false
		}
		if int64(len(after)) < size+2 {
			return nil, "", "", false
		}
		args = append(args, after[:size])
		rest = after[size+2:]
	}
	return args, rest, "", true
}

func naiveInline(in string) (args []string, rest, failure string, whole bool) {
	line, rest, failure, whole := naiveLine(in, '\n', "too big inline request")
	if !whole {
		return nil, "", failure, false
	}
	args, ok := naiveWords(strings.TrimSuffix(line, "\r"))
	if !ok {
		return nil, "", "unbalanced quotes in request", false
	}
	return args, rest, "", true
}

// naiveWords walks over line + a NUL one byte at a time with the three modes of sdssplitargs.
func naiveWords(line string) ([]string, bool) {
	const blanks = " \t\n\v\f\r"
	var words []string
	for {
		line = strings.TrimLeft(line, blanks)
		if line == "" {
			return words, true
		}
		word, mode := "", byte(0)
		for {
			if line == "" {
				if mode != 0 {
					return nil, false
				}
				break
			}
			c := line[0]
			switch {
			case mode == 0 && strings.IndexByte(" \n\r\t", c) >= 0:
			case mode == 0 && (c == '"' || c == '\''):
				mode = c
				line = line[1:]
				continue
			case mode == 0:
				word += string([]byte{c})
				line = line[1:]
				continue
			case c == mode:
				line = line[1:]
				if line != "" && strings.IndexByte(blanks, line[0]) < 0 {
					return nil, false
				}
			case mode == '\'' && strings.HasPrefix(line, `\'`):
				word, line = word+"'", line[2:]
				continue
			case mode == '"' && c == '\\' && len(line) > 1:
				var got string
				got, line = naiveEscape(line)
				word += got
				continue
			default:
				word += string([]byte{c})
				line = line[1:]
				continue
			}
			break
		}
		words = append(words, word)
	}
}

func naiveEscape(line string) (got, rest string) {
	if len(line) >= 4 && line[1] == 'x' {
		if n, err := strconv.ParseUint(line[2:4], 16, 8); err == nil {
			return string([]byte{byte(n)}), line[4:]
		}
	}
	if at := strings.IndexByte("nrtba", line[1]); at >= 0 {
		return "\n\r\t\b\a"[at : at+1], line[2:]
	}
	return line[1:2], line[2:]
}

// naiveReplies gives all replies as texts: kind and bytes; "failed" ends them where the bytes are wrong.
func naiveReplies(in []byte) []string {
	var seen []string
	for len(in) > 0 {
		kind, n, state := naiveReply(in)
		switch state {
		case naiveCut:
			return seen
		case naiveWrong:
			return append(seen, "failed")
		}
		seen = append(seen, fmt.Sprintf("%c %q", kind, in[:n]))
		in = in[n:]
	}
	return seen
}

type naiveState int

const (
	naiveFine naiveState = iota
	naiveCut
	naiveWrong
)

func naiveReply(in []byte) (kind byte, n int, state naiveState) {
	if len(in) == 0 {
		return 0, 0, naiveCut
	}
	kind = in[0]
	if bytes.IndexByte([]byte("+-:$*_,#!=(%~>|"), kind) < 0 {
		return kind, 0, naiveWrong
	}
	end := bytes.IndexByte(in, '\r')
	switch {
	case end < 0 && len(in) > 1<<20, end > 1<<20:
		return kind, 0, naiveWrong
	case end < 0, end+1 == len(in):
		return kind, 0, naiveCut
	case in[end+1] != '\n':
		return kind, 0, naiveWrong
	}
	text, n := string(in[1:end]), end+2
	switch kind {
	case '+', '-':
		return kind, n, naiveFine
	case ':', '_', ',', '#', '(':
		if !naiveScalar(kind, text) {
			return kind, 0, naiveWrong
		}
		return kind, n, naiveFine
	case '$', '!', '=':
		return naiveBulk(in, kind, text, n)
	}
	return naiveAggregate(in, kind, text, n)
}

func naiveScalar(kind byte, text string) bool {
	switch kind {
	case ':':
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil
	case '_':
		return text == ""
	case '#':
		return text == "t" || text == "f"
	case '(':
		text = strings.TrimPrefix(strings.Replace(text, "+", "-", 1), "-")
		return text != "" && strings.Trim(text, "0123456789") == ""
	}
	switch strings.TrimPrefix(strings.TrimPrefix(text, "-"), "+") {
	case "inf", "nan":
		return text != "-+inf" && text != "-+nan"
	}
	if strings.Trim(text, "0123456789+-.eE") != "" || strings.Contains(text, ".e") || strings.Contains(text, ".E") || strings.HasSuffix(text, ".") {
		return false
	}
	if strings.HasPrefix(strings.TrimLeft(text, "+-"), ".") {
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil || strings.HasSuffix(err.Error(), "out of range")
}

func naiveBulk(in []byte, kind byte, text string, n int) (byte, int, naiveState) {
	size, ok := naiveNumber(text)
	if ok && size == -1 && kind == '$' {
		return kind, n, naiveFine
	}
	if !ok || size < 0 || size > 1<<40 || kind == '=' && size < 4 {
		return kind, 0, naiveWrong
	}
	rest := in[n:]
	if int64(len(rest)) > size && rest[size] != '\r' || int64(len(rest)) > size+1 && rest[size+1] != '\n' {
		return kind, 0, naiveWrong
	}
	if int64(len(rest)) < size+2 {
		return kind, 0, naiveCut
	}
	return kind, n + int(size) + 2, naiveFine
}

func naiveAggregate(in []byte, kind byte, text string, n int) (byte, int, naiveState) {
	count, ok := naiveNumber(text)
	if ok && count == -1 && kind == '*' {
		return kind, n, naiveFine
	}
	if !ok || count < 0 || count > 1<<32 {
		return kind, 0, naiveWrong
	}
	if kind == '%' || kind == '|' {
		count *= 2
	}
	for ; count > 0; count-- {
		_, size, state := naiveReply(in[n:])
		if state != naiveFine {
			return kind, 0, state
		}
		n += size
	}
	if kind == '|' {
		of, size, state := naiveReply(in[n:])
		if state != naiveFine {
			return of, 0, state
		}
		return of, n + size, naiveFine
	}
	return kind, n, naiveFine
}
