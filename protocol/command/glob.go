package command

// Match reports whether text fits a glob pattern: * ? [a-c] [^a] \x, as Redis 7.0 takes it in KEYS and SCAN (util.c, stringmatchlen). A class that is not
// closed reaches to the pattern's end. Of patterns of nothing but stars only a single one fits the empty text.
//
// On a mismatch only the last * is widened, so the cost is at most the product of the lengths.
func Match(pattern, text []byte) bool { return match(pattern, text, false) }

// MatchName is Match in any case, as Redis takes patterns in COMMAND LIST and CONFIG GET.
func MatchName(pattern, name string) bool { return match(pattern, name, true) }

func match[T []byte | string](pattern, text T, anyCase bool) bool {
	if len(text) == 0 {
		return len(pattern) == 0 || len(pattern) == 1 && pattern[0] == '*'
	}
	p, n := 0, 0
	star, starText := -1, 0
	for n < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, starText = p, n
			p++
			continue
		}
		if next, ok := matchOne(pattern, p, text[n], anyCase); ok {
			p = next
			n++
			continue
		}
		if star < 0 {
			return false
		}
		starText++
		p, n = star+1, starText
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches c with what stands at pattern[p:], no *, and says where the pattern goes on.
func matchOne[T []byte | string](pattern T, p int, c byte, anyCase bool) (next int, ok bool) {
	if p == len(pattern) {
		return p, false
	}
	switch pattern[p] {
	case '?':
		return p + 1, true
	case '[':
		return matchClass(pattern, p+1, c, anyCase)
	case '\\':
		if p+1 < len(pattern) {
			p++
		}
	}
	return p + 1, same(pattern[p], c, anyCase)
}

// matchClass matches c with the class whose inside begins at p. A character behind a backslash fits in its own case only, as in Redis.
func matchClass[T []byte | string](pattern T, p int, c byte, anyCase bool) (next int, ok bool) {
	not := p < len(pattern) && pattern[p] == '^'
	if not {
		p++
	}
	hit := false
	for p < len(pattern) {
		if pattern[p] == '\\' && p+1 < len(pattern) {
			hit = hit || pattern[p+1] == c
			p += 2
			continue
		}
		if pattern[p] == ']' {
			p++
			break
		}
		if p+2 < len(pattern) && pattern[p+1] == '-' {
			hit = hit || between(pattern[p], c, pattern[p+2], anyCase)
			p += 3
			continue
		}
		hit = hit || same(pattern[p], c, anyCase)
		p++
	}
	return p, hit != not
}

func same(a, b byte, anyCase bool) bool {
	return a == b || anyCase && lowerByte(a) == lowerByte(b)
}

// between reports whether c is between two bounds, whichever is lower. Bytes are signed, as C's char is where Redis runs, and bounds change places before
// they are made lower case, so that [Z-a] fits nothing in any case.
func between(a, c, b byte, anyCase bool) bool {
	if int8(a) > int8(b) {
		a, b = b, a
	}
	if anyCase {
		a, c, b = lowerByte(a), lowerByte(c), lowerByte(b)
	}
	return int8(a) <= int8(c) && int8(c) <= int8(b)
}
