package commands

import (
	"larder/engine/zsets"
	"larder/protocol/encoding/decimal"
)

// parseScoreRange reads the two bounds of a range of scores; one that begins with a parenthesis is not in it.
func parseScoreRange(low, high []byte) (r zsets.ScoreRange, err string) {
	var ok, ok2 bool
	r.Min, r.MinEx, ok = parseScoreBound(low)
	r.Max, r.MaxEx, ok2 = parseScoreBound(high)
	if !ok || !ok2 {
		return r, errScoreRange
	}
	return r, noError
}

func parseScoreBound(arg []byte) (f float64, ex, ok bool) {
	if ex = len(arg) > 0 && arg[0] == '('; ex {
		arg = arg[1:]
	}
	f, ok = decimal.ParseBound(arg)
	return f, ex, ok
}

// parseLexRange reads the two bounds of a range of members: "-", "+", or a member behind a bracket, or a parenthesis where it is not in the range.
func parseLexRange(low, high []byte) (r zsets.LexRange, err string) {
	var ok, ok2 bool
	r.Min, ok = parseLexBound(low)
	r.Max, ok2 = parseLexBound(high)
	if !ok || !ok2 {
		return r, errLexRange
	}
	return r, noError
}

func parseLexBound(arg []byte) (b zsets.LexBound, ok bool) {
	if len(arg) == 0 {
		return b, false
	}
	switch arg[0] {
	case '-':
		return zsets.LexBound{Infinite: -1}, len(arg) == 1
	case '+':
		return zsets.LexBound{Infinite: 1}, len(arg) == 1
	case '(':
		return zsets.LexBound{Member: arg[1:], Ex: true}, true
	case '[':
		return zsets.LexBound{Member: arg[1:]}, true
	}
	return b, false
}
