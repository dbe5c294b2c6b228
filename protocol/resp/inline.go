package resp

// inline reads a command of words in one line. It is Done with no words for an empty line.
func (p *Requests) inline(buf []byte) (int, State) {
	end, s := p.line(buf, '\n', "too big inline request")
	if s != Done {
		return 0, s
	}
	p.scanned = 0
	line := buf[:end]
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	p.args, p.scratch = p.args[:0], p.scratch[:0]
	if !p.split(line) {
		return 0, p.fail("unbalanced quotes in request")
	}
	return end + 1, Done
}

// split cuts a line into words as Redis's sdssplitargs does: words stand between blanks, "…" knows the escapes \n \r \t \b \a \xHH, '…' knows only \',
// and a closing quote must end its word. False if a quote is not closed or text follows it.
func (p *Requests) split(line []byte) bool {
	for i := 0; ; {
		for i < len(line) && blank(line[i]) {
			i++
		}
		if i == len(line) {
			return true
		}
		start := i
		for i < len(line) && !endsWord(line[i]) && line[i] != '"' && line[i] != '\'' {
			i++
		}
		if i == len(line) || endsWord(line[i]) {
			p.args = append(p.args, line[start:i:i])
			continue
		}
		word := len(p.scratch)
		p.scratch = append(p.scratch, line[start:i]...)
		if i = p.quoted(line, i); i < 0 {
			return false
		}
		p.args = append(p.args, p.scratch[word:len(p.scratch):len(p.scratch)])
	}
}

// quoted appends the rest of a word, from a quote in it on, to the scratch, and returns where the word ends; -1 if a quote is not closed properly.
func (p *Requests) quoted(line []byte, i int) int {
	for i < len(line) && !endsWord(line[i]) {
		switch c := line[i]; c {
		case '"', '\'':
			end := p.quote(line, i+1, c)
			if end < 0 || end < len(line) && !blank(line[end]) {
				return -1
			}
			return end
		default:
			p.scratch = append(p.scratch, c)
			i++
		}
	}
	return i
}

// quote appends what stands between quotes, from i on, and returns the index behind the closing one, or -1.
func (p *Requests) quote(line []byte, i int, mark byte) int {
	for i < len(line) {
		c := line[i]
		switch {
		case c == mark:
			return i + 1
		case c != '\\' || i+1 == len(line):
			i++
		case mark == '\'':
			if line[i+1] == '\'' {
				c = '\''
				i++
			}
			i++
		default:
			c, i = unescape(line, i)
		}
		p.scratch = append(p.scratch, c)
	}
	return -1
}

// unescape reads the escape at line[i], a backslash with at least one byte behind it.
func unescape(line []byte, i int) (c byte, next int) {
	if line[i+1] == 'x' && i+3 < len(line) {
		high, okHigh := hexDigit(line[i+2])
		low, okLow := hexDigit(line[i+3])
		if okHigh && okLow {
			return high<<4 | low, i + 4
		}
	}
	switch c = line[i+1]; c {
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'b':
		c = '\b'
	case 'a':
		c = '\a'
	}
	return c, i + 2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// blank is C's isspace in the "C" locale: it separates words.
func blank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// endsWord leaves out \v and \f, as sdssplitargs does: inside a word they belong to it.
func endsWord(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
