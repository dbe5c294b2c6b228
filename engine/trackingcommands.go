package engine

import (
	"strings"

	"larder/protocol/resp"
)

const (
	errOtherBcast  = "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
	errOtherOption = "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
	errCaching     = "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
)

// clientTracking turns tracking on or off (Redis 7.2 networking.c, clientCommand).
func clientTracking(s *session, args [][]byte) {
	t, wrong := s.parseTracking(args[3:])
	if wrong != "" {
		s.fail(wrong)
		return
	}
	switch lower(args[2]) {
	case "on":
		if wrong := s.refuseTracking(t); wrong != "" {
			s.fail(wrong)
			return
		}
		s.track(t)
	case "off":
		s.untrack()
	default:
		s.fail(errSyntax)
		return
	}
	s.ok()
}

func (s *session) parseTracking(words [][]byte) (t *tracker, wrong string) {
	t = new(tracker)
	for i := 0; i < len(words); i++ {
		more := i+1 < len(words)
		switch word := lower(words[i]); {
		case word == "redirect" && more:
			i++
			if wrong = s.parseRedirect(t, words[i]); wrong != "" {
				return t, wrong
			}
		case word == "bcast":
			t.bcast = true
		case word == "optin":
			t.optIn = true
		case word == "optout":
			t.optOut = true
		case word == "noloop":
			t.noLoop = true
		case word == "prefix" && more:
			i++
			t.prefixes = append(t.prefixes, string(words[i]))
		default:
			return t, errSyntax
		}
	}
	return t, ""
}

func (s *session) parseRedirect(t *tracker, word []byte) string {
	if t.redirect != 0 {
		return "ERR A client can only redirect to a single other client"
	}
	id, ok := resp.ParseNumber(word)
	if !ok {
		return errNotInt
	}
	if s.p.sessions[uint64(id)] == nil {
		return "ERR The client ID you want redirect to does not exist"
	}
	t.redirect = uint64(id)
	return ""
}

// refuseTracking says why the options cannot be.
func (s *session) refuseTracking(t *tracker) string {
	old := s.tracker
	switch {
	case !t.bcast && len(t.prefixes) > 0:
		return "ERR PREFIX option requires BCAST mode to be enabled"
	case old != nil && old.bcast != t.bcast:
		return errOtherBcast
	case t.bcast && (t.optIn || t.optOut):
		return "ERR OPTIN and OPTOUT are not compatible with BCAST"
	case t.optIn && t.optOut:
		return "ERR You can't specify both OPTIN mode and OPTOUT mode"
	case old != nil && (t.optIn && old.optOut || t.optOut && old.optIn):
		return errOtherOption
	case t.bcast:
		return s.overlap(t.prefixes)
	}
	return ""
}

// overlap is the error of prefixes of which one begins with another, or with one that the client has.
func (s *session) overlap(prefixes []string) string {
	clash := func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
	for i, prefix := range prefixes {
		if s.tracker != nil {
			for _, have := range s.tracker.prefixes {
				if clash(prefix, have) {
					return "ERR Prefix '" + prefix + "' overlaps with an existing prefix '" + have + "'. Prefixes for a single client must not overlap."
				}
			}
		}
		for _, other := range prefixes[i+1:] {
			if clash(prefix, other) {
				return "ERR Prefix '" + prefix + "' overlaps with another provided prefix '" + other + "'. Prefixes for a single client must not overlap."
			}
		}
	}
	return ""
}

func clientCaching(s *session, args [][]byte) {
	t := s.tracker
	if t == nil {
		s.fail(errCaching)
		return
	}
	switch word := lower(args[2]); {
	case word == "yes" && t.optIn || word == "no" && t.optOut:
		t.caching = true
		s.ok()
	case word == "yes":
		s.fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
	case word == "no":
		s.fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
	default:
		s.fail(errSyntax)
	}
}

// redirection is the client that is told instead of this one: 0 itself, -1 nobody is told.
func (s *session) redirection() int64 {
	if s.tracker == nil {
		return -1
	}
	return int64(s.tracker.redirect)
}

func clientGetRedir(s *session, _ [][]byte) { s.p.w.Int(s.redirection()) }

func clientTrackingInfo(s *session, _ [][]byte) {
	w, t := &s.p.w, s.tracker
	words := []string{"on"}
	if t == nil {
		t = new(tracker)
		words[0] = "off"
	}
	for _, f := range [...]struct {
		is   bool
		word string
	}{
		{t.bcast, "bcast"},
		{t.optIn, "optin"},
		{t.optIn && t.caching, "caching-yes"},
		{t.optOut, "optout"},
		{t.optOut && t.caching, "caching-no"},
		{t.noLoop, "noloop"},
		{t.broken, "broken_redirect"},
	} {
		if f.is {
			words = append(words, f.word)
		}
	}
	w.Map(3)
	w.Bulk("flags")
	w.Set(len(words))
	for _, word := range words {
		w.Bulk(word)
	}
	w.Bulk("redirect")
	w.Int(s.redirection())
	w.Bulk("prefixes")
	w.Array(len(t.prefixes))
	for _, prefix := range t.prefixes {
		w.Bulk(prefix)
	}
}
