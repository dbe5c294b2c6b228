package engine

import (
	"math"
	"strconv"
	"strings"

	"larder/protocol/client"
)

// number is a parameter that is a number from least on.
func number(name string, least int64, at func(*settings) *int64) client.Parameter[*session, settings] {
	return within(name, least, math.MaxInt64, at)
}

// between is a parameter that is a number from least to what a C int holds.
func between(name string, least int64, at func(*settings) *int64) client.Parameter[*session, settings] {
	return within(name, least, math.MaxInt32, at)
}

// within is a parameter that is a number from least to most.
func within(name string, least, most int64, at func(*settings) *int64) client.Parameter[*session, settings] {
	return parsed(name, at, func(value string) (int64, string) { return client.ParseNumber(value, least, most) })
}

// bytesOf is a parameter that is a number of bytes.
func bytesOf(name string, least int64, at func(*settings) *int64) client.Parameter[*session, settings] {
	return parsed(name, at, func(value string) (int64, string) { return client.ParseMemory(value, least) })
}

func parsed(name string, at func(*settings) *int64, parse func(string) (int64, string)) client.Parameter[*session, settings] {
	return client.Parameter[*session, settings]{
		Name: name,
		Get:  func(s *session) string { return strconv.FormatInt(*at(&s.p.set), 10) },
		Set: func(set *settings, value string) string {
			n, wrong := parse(value)
			if wrong == "" {
				*at(set) = n
			}
			return wrong
		},
	}
}

// protected is of what only who starts the node may say.
func protected(*settings, string) string { return "can't set protected config" }

// onlyYes is of what is always done.
func onlyYes(_ *settings, value string) string {
	switch strings.ToLower(value) {
	case "yes":
		return ""
	case "no":
		return "this node always does so"
	}
	return "argument must be 'yes' or 'no'"
}

// immutable is a parameter that only the start sets.
func immutable(p client.Parameter[*session, settings]) client.Parameter[*session, settings] {
	p.Set = nil
	return p
}

// yesNo is a parameter that is on or off.
func yesNo(name string, at func(*settings) *bool) client.Parameter[*session, settings] {
	return client.Parameter[*session, settings]{
		Name: name,
		Get: func(s *session) string {
			if *at(&s.p.set) {
				return "yes"
			}
			return "no"
		},
		Set: func(set *settings, value string) string {
			switch strings.ToLower(value) {
			case "yes":
				*at(set) = true
			case "no":
				*at(set) = false
			default:
				return "argument must be 'yes' or 'no'"
			}
			return ""
		},
	}
}
