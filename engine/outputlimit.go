package engine

import (
	"math"
	"strconv"
	"strings"
	"time"

	"larder/protocol/client"
)

// outputLimit is how much unread output a class of clients may have: hard at most at any moment, soft at most for a time. 0 = no limit.
type outputLimit struct{ hard, soft, softS int64 }

// The classes of clients that client-output-buffer-limit names.
const (
	classNormal = iota
	classReplica
	classPubSub
	classCount
)

// outputLimits are by class, with Redis's defaults.
type outputLimits [classCount]outputLimit

var outputLimitDefaults = outputLimits{
	classReplica: {256 << 20, 64 << 20, 60},
	classPubSub:  {32 << 20, 8 << 20, 60},
}

var classNames = [classCount]string{"normal", "slave", "pubsub"}

func (l outputLimits) String() string {
	var words []string
	for class, limit := range l {
		words = append(words, classNames[class], strconv.FormatInt(limit.hard, 10), strconv.FormatInt(limit.soft, 10), strconv.FormatInt(limit.softS, 10))
	}
	return strings.Join(words, " ")
}

// set reads groups of a class and its three numbers (Redis 7.2 config.c, setConfigOutputBufferLimitOption).
func (l *outputLimits) set(value string) string {
	words := strings.Fields(value)
	if len(words)%4 != 0 {
		return "Wrong number of arguments in buffer limit configuration."
	}
	for ; len(words) > 0; words = words[4:] {
		class := classOf(words[0])
		if class < 0 {
			return "Invalid client class specified in buffer limit configuration."
		}
		hard, wrong := client.ParseMemory(words[1], 0)
		soft, wrong2 := client.ParseMemory(words[2], 0)
		seconds, wrong3 := client.ParseNumber(words[3], 0, math.MaxInt32)
		if wrong+wrong2+wrong3 != "" {
			return "Error in hard, soft or soft_seconds setting in buffer limit configuration."
		}
		l[class] = outputLimit{hard, soft, seconds}
	}
	return ""
}

func classOf(word string) int {
	if strings.EqualFold(word, "replica") {
		return classReplica
	}
	for class, name := range classNames {
		if strings.EqualFold(word, name) {
			return class
		}
	}
	return -1
}

var outputLimitParameter = client.Parameter[*session, settings]{
	Name: "client-output-buffer-limit",
	Get:  func(s *session) string { return s.p.set.outputLimits.String() },
	Set: func(set *settings, value string) string {
		next := set.outputLimits
		wrong := next.set(value)
		if wrong == "" {
			set.outputLimits = next
		}
		return wrong
	},
}

func (s *session) class() int {
	if s.state&subscribed != 0 {
		return classPubSub
	}
	return classNormal
}

// limitOutput closes a client that has more unread output than its class may have; more is what is about to be added. The connection ends behind the
// present callback, so that whoever goes through sessions is not disturbed.
func (s *session) limitOutput(more int) {
	limit := &s.p.set.outputLimits[s.class()]
	if s.closing || limit.hard == 0 && limit.soft == 0 {
		return
	}
	kept := int64(s.c.Unsent() + len(s.late) + more)
	over := limit.hard > 0 && kept > limit.hard
	switch {
	case limit.soft == 0 || kept <= limit.soft:
		s.softSinceNS = 0
	case s.softSinceNS == 0:
		s.softSinceNS = max(1, s.p.nowNS)
	case s.p.nowNS-s.softSinceNS > limit.softS*int64(time.Second):
		over = true
	}
	if over {
		s.p.count.outputClosed++
		s.tooSlow()
		s.p.l.Later(s.c.Close)
	}
}
