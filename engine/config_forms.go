package engine

import (
	"math"
	"strconv"

	"larder/protocol/client"
)

// between is a parameter that is a number from least to what a C int holds.
func between(name string, least int64, at func(*settings) *int64) client.Parameter[*session, settings] {
	return within(name, least, math.MaxInt32, at)
}

// within is a parameter that is a number from least to most.
func within(name string, least, most int64, at func(*settings) *int64) client.Parameter[*session, settings] {
	return client.Parameter[*session, settings]{
		Name: name,
		Get:  func(s *session) string { return strconv.FormatInt(*at(&s.p.set), 10) },
		Set: func(set *settings, value string) string {
			n, wrong := client.ParseNumber(value, least, most)
			if wrong == "" {
				*at(set) = n
			}
			return wrong
		},
	}
}
