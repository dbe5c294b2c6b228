package decimal

import (
	"bytes"
	"math"
	"strconv"
)

// ParseDouble reads what Redis takes for a double (getDoubleFromObject): what C's strtod reads, as a whole, without blanks; no "nan", nothing that is too
// large or, without being 0, too small.
func ParseDouble(text []byte) (f float64, ok bool) {
	if len(text) == 0 || blankByte(text[0]) {
		return 0, false
	}
	f, rest, outside := scanDouble(text)
	return f, len(rest) == 0 && !outside && !math.IsNaN(f)
}

// ParseBound reads what Redis takes for the bound of a range of scores (zslParseRange): what C's strtod makes of the text up to its first NUL, blanks before it
// allowed, nothing being 0, and what is out of range being infinite or 0.
func ParseBound(text []byte) (f float64, ok bool) {
	if end := bytes.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	number := text
	for len(number) > 0 && blankByte(number[0]) {
		number = number[1:]
	}
	f, rest, _ := scanDouble(number)
	if len(rest) == len(number) && len(text) > 0 {
		return 0, false
	}
	return f, len(rest) == 0 && !math.IsNaN(f)
}

func blankByte(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// scanDouble reads the longest number that text begins with, as C's strtod; rest is what follows it, all of text if there is none. outside: the number has no
// double near it (ERANGE with an infinite or a zero result).
func scanDouble(text []byte) (f float64, rest []byte, outside bool) {
	n, hex, named := doubleEnd(text)
	if n == 0 {
		return 0, text, false
	}
	number := text[:n]
	if named {
		f, _ = strconv.ParseFloat(string(number), 64)
		return f, text[n:], false
	}
	var err error
	if hex && !bytes.ContainsAny(number, "pP") {
		f, err = strconv.ParseFloat(string(number)+"p0", 64) // Go wants the exponent that C lets one leave out
	} else {
		f, err = strconv.ParseFloat(string(number), 64)
	}
	return f, text[n:], err != nil || f == 0 && !zeroDigits(number, hex)
}

// zeroDigits tells whether all digits of a number, before its exponent, are 0.
func zeroDigits(number []byte, hex bool) bool {
	for i, c := range number {
		switch {
		case c == 'p' || c == 'P' || !hex && c|0x20 == 'e':
			return true
		case c == '0' || c == '.' || c == '+' || c == '-' || hex && c|0x20 == 'x' && i < 3:
		default:
			return false
		}
	}
	return true
}

// doubleEnd finds where the number that text begins with ends, 0 if it begins with none. named: it is no digits but inf, infinity or nan.
func doubleEnd(text []byte) (n int, hex, named bool) {
	i := 0
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		i++
	}
	for _, word := range [...]string{"infinity", "inf", "nan"} {
		if end := i + len(word); end <= len(text) && isWord(text[i:end], word) {
			return end, false, true
		}
	}
	if i+1 < len(text) && text[i] == '0' && text[i+1]|0x20 == 'x' {
		if end := mantissaEnd(text, i+2, true); end > 0 {
			return exponentEnd(text, end, 'p'), true, false
		}
	}
	end := mantissaEnd(text, i, false)
	if end == 0 {
		return 0, false, false
	}
	return exponentEnd(text, end, 'e'), false, false
}

// isWord compares with a word of small letters, of the same length, in any case.
func isWord(text []byte, word string) bool {
	for i := range word {
		if text[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

// mantissaEnd finds the end of digits with perhaps a point from i on, 0 if there are no digits.
func mantissaEnd(text []byte, i int, hex bool) int {
	seen, point := false, false
	for ; i < len(text); i++ {
		c := text[i]
		letter := c | 0x20
		switch {
		case '0' <= c && c <= '9' || hex && 'a' <= letter && letter <= 'f':
			seen = true
		case c == '.' && !point:
			point = true
		default:
			if !seen {
				return 0
			}
			return i
		}
	}
	if !seen {
		return 0
	}
	return i
}

// exponentEnd finds the end of an exponent that may begin at i; one without digits is none.
func exponentEnd(text []byte, i int, letter byte) int {
	if i >= len(text) || text[i]|0x20 != letter {
		return i
	}
	end := i + 1
	if end < len(text) && (text[end] == '+' || text[end] == '-') {
		end++
	}
	first := end
	for end < len(text) && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	if end == first {
		return i
	}
	return end
}
