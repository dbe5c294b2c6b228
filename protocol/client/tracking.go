package client

import (
	"slices"
	"strings"

	"larder/protocol/resp"
)

const (
	errOtherBcast  = "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
	errOtherOption = "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
	errCaching     = "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
	// ErrNoRedirect is told where the client to redirect to is nowhere.
	ErrNoRedirect = "ERR The client ID you want redirect to does not exist"
)

// Tracking is what CLIENT TRACKING made of a client: whose keys it is told of when they change (Redis 7.2 tracking.c).
type Tracking struct {
	Redirect      uint64 // the client that is told instead, 0 = none
	Broken        bool   // that one was gone when it was to be told
	Bcast, NoLoop bool
	OptIn, OptOut bool
	Caching       bool // CLIENT CACHING was said for the next command
	Prefixes      []string
}

// ParseTracking reads what stands behind CLIENT TRACKING. exists is asked whether there is a client to redirect to. old is how the client tracks now,
// nil if it does not (Redis 7.2 networking.c, clientCommand).
func ParseTracking(args [][]byte, old *Tracking, exists func(id uint64) bool) (t *Tracking, on bool, wrong string) {
	t, wrong = parseTrackingWords(args[1:], exists)
	if wrong != "" {
		return nil, false, wrong
	}
	switch strings.ToLower(string(args[0])) {
	case "on":
		return t, true, t.refuse(old)
	case "off":
		return nil, false, ""
	default:
		return nil, false, errSyntax
	}
}

func parseTrackingWords(words [][]byte, exists func(id uint64) bool) (t *Tracking, wrong string) {
	t = new(Tracking)
	for i := 0; i < len(words); i++ {
		more := i+1 < len(words)
		switch word := strings.ToLower(string(words[i])); {
		case word == "redirect" && more:
			i++
			if wrong = t.parseRedirect(words[i], exists); wrong != "" {
				return t, wrong
			}
		case word == "bcast":
			t.Bcast = true
		case word == "optin":
			t.OptIn = true
		case word == "optout":
			t.OptOut = true
		case word == "noloop":
			t.NoLoop = true
		case word == "prefix" && more:
			i++
			t.Prefixes = append(t.Prefixes, string(words[i]))
		default:
			return t, errSyntax
		}
	}
	return t, ""
}

func (t *Tracking) parseRedirect(word []byte, exists func(id uint64) bool) string {
	if t.Redirect != 0 {
		return "ERR A client can only redirect to a single other client"
	}
	id, ok := resp.ParseNumber(word)
	switch {
	case !ok:
		return "ERR value is not an integer or out of range"
	case id <= 0 || !exists(uint64(id)):
		return ErrNoRedirect
	}
	t.Redirect = uint64(id)
	return ""
}

// refuse says why the options cannot be.
func (t *Tracking) refuse(old *Tracking) string {
	switch {
	case !t.Bcast && len(t.Prefixes) > 0:
		return "ERR PREFIX option requires BCAST mode to be enabled"
	case old != nil && old.Bcast != t.Bcast:
		return errOtherBcast
	case t.Bcast && (t.OptIn || t.OptOut):
		return "ERR OPTIN and OPTOUT are not compatible with BCAST"
	case t.OptIn && t.OptOut:
		return "ERR You can't specify both OPTIN mode and OPTOUT mode"
	case old != nil && (t.OptIn && old.OptOut || t.OptOut && old.OptIn):
		return errOtherOption
	case t.Bcast:
		return t.overlap(old)
	}
	return ""
}

// overlap is the error of prefixes of which one begins with another, or with one that the client has.
func (t *Tracking) overlap(old *Tracking) string {
	clash := func(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
	for i, prefix := range t.Prefixes {
		if old != nil {
			for _, have := range old.Prefixes {
				if clash(prefix, have) {
					return "ERR Prefix '" + prefix + "' overlaps with an existing prefix '" + have + "'. Prefixes for a single client must not overlap."
				}
			}
		}
		for _, other := range t.Prefixes[i+1:] {
			if clash(prefix, other) {
				return "ERR Prefix '" + prefix + "' overlaps with another provided prefix '" + other + "'. Prefixes for a single client must not overlap."
			}
		}
	}
	return ""
}

// Follow completes the prefixes of a client that follows some: who names none follows every key, and those of before stay.
func (t *Tracking) Follow(old *Tracking) {
	if !t.Bcast {
		return
	}
	if len(t.Prefixes) == 0 {
		t.Prefixes = []string{""}
	}
	if old != nil {
		t.Prefixes = append(t.Prefixes, old.Prefixes...)
	}
	slices.Sort(t.Prefixes)
	t.Prefixes = slices.Compact(t.Prefixes)
}

// SetCaching is CLIENT CACHING; t is nil where the client does not track.
func (t *Tracking) SetCaching(word []byte) (wrong string) {
	if t == nil {
		return errCaching
	}
	switch word := strings.ToLower(string(word)); {
	case word == "yes" && t.OptIn || word == "no" && t.OptOut:
		t.Caching = true
		return ""
	case word == "yes":
		return "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
	case word == "no":
		return "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
	default:
		return errSyntax
	}
}

// Caches tells whether the keys that the next command reads are to be remembered.
func (t *Tracking) Caches() bool {
	return !t.Bcast && (!t.OptIn || t.Caching) && (!t.OptOut || !t.Caching)
}

// Redirection is the client that is told instead of this one: 0 itself, -1 nobody is told.
func (t *Tracking) Redirection() int64 {
	if t == nil {
		return -1
	}
	return int64(t.Redirect)
}

// WriteInfo answers CLIENT TRACKINGINFO; t is nil where the client does not track.
func (t *Tracking) WriteInfo(w *resp.Writer) {
	redirection := t.Redirection()
	words := []string{"on"}
	if t == nil {
		t = new(Tracking)
		words[0] = "off"
	}
	for _, f := range [...]struct {
		is   bool
		word string
	}{
		{t.Bcast, "bcast"},
		{t.OptIn, "optin"},
		{t.OptIn && t.Caching, "caching-yes"},
		{t.OptOut, "optout"},
		{t.OptOut && t.Caching, "caching-no"},
		{t.NoLoop, "noloop"},
		{t.Broken, "broken_redirect"},
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
	w.Int(redirection)
	w.Bulk("prefixes")
	w.Array(len(t.Prefixes))
	for _, prefix := range t.Prefixes {
		w.Bulk(prefix)
	}
}

// WriteInvalid is the message of keys that are no longer what they were; nil: none is. To a client that speaks RESP2 it comes as to a subscriber. The nil
// is of the version in which the client speaks that tracks, whoever is told instead of it (tracking.c, trackingInvalidateKeysOnFlush).
func WriteInvalid(w *resp.Writer, tracks int, keys [][]byte) {
	if w.Proto == 3 {
		w.Push(2)
		w.Bulk("invalidate")
	} else {
		w.Array(3)
		w.Bulk("message")
		w.Bulk("__redis__:invalidate")
	}
	if keys == nil {
		null := resp.Writer{Out: w.Out, Proto: tracks}
		null.Null()
		w.Out = null.Out
		return
	}
	writeKeys(w, keys)
}

// WriteInvalidBy is WriteInvalid to a gateway, with the client that wrote.
func WriteInvalidBy(w *resp.Writer, keys [][]byte, by string) {
	w.Push(3)
	w.Bulk("invalidate")
	writeKeys(w, keys)
	w.Bulk(by)
}

func writeKeys(w *resp.Writer, keys [][]byte) {
	w.Array(len(keys))
	for _, key := range keys {
		w.BulkBytes(key)
	}
}

// WriteRedirectBroken tells a client that speaks RESP3 that the one to be told instead of it is gone.
func WriteRedirectBroken(w *resp.Writer, id uint64) {
	w.Push(2)
	w.Bulk("tracking-redir-broken")
	w.Int(int64(id))
}
