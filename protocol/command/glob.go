package command

// MatchName reports whether name fits a glob pattern, in any case: * ? [a-c] [^a] \x, as Redis takes it in COMMAND LIST and CONFIG GET. A class not
// closed reaches to the pattern's end. On a mismatch only the last * is widened, so the cost is at most the product of the lengths.
func MatchName(pattern, name string) bool {
	p, n := 0, 0
	star, starName := -1, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, starName = p, n
			p++
			continue
		}
		if next, ok := matchOne(pattern, p, name[n]); ok {
			p = next
			n++
			continue
		}
		if star < 0 {
			return false
		}
		starName++
		p, n = star+1, starName
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches c with what stands at pattern[p:], no *, and says where the pattern goes on.
func matchOne(pattern string, p int, c byte) (next int, ok bool) {
	if p == len(pattern) {
		return p, false
	}
	switch pattern[p] {
	case '?':
		return p + 1, true
	case '[':
		return matchClass(pattern, p+1, c)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return p + 1, lowerByte(pattern[p]) == lowerByte(c)
}

// matchClass matches c with the class whose inside begins at p. A character behind a backslash fits in its own case only, as in Redis.
func matchClass(pattern string, p int, c byte) (next int, ok bool) {
	not := p < len(pattern) && pattern[p] == '^'
	if not {
		p++
	}
	hit := false
	for p < len(pattern) && pattern[p] != ']' {
		switch {
		case pattern[p] == '\\' && p+1 < len(pattern):
			hit = hit || pattern[p+1] == c
			p += 2
		case p+2 < len(pattern) && pattern[p+1] == '-':
			hit = hit || between(lowerByte(pattern[p]), lowerByte(c), lowerByte(pattern[p+2]))
			p += 3
		default:
			hit = hit || lowerByte(pattern[p]) == lowerByte(c)
			p++
		}
	}
	if p < len(pattern) {
		p++
	}
	return p, hit != not
}

// between reports whether c is between two bounds, whichever is lower.
func between(a, c, b byte) bool { return min(a, b) <= c && c <= max(a, b) }
