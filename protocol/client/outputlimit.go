package client

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// OutputLimit is how much unread output a class of clients may have: hard at most at any moment, soft at most for a time. 0 = no limit.
type OutputLimit struct{ Hard, Soft, SoftS int64 }

// The classes of clients that client-output-buffer-limit names.
const (
	ClassNormal = iota
	ClassReplica
	ClassPubSub
	classCount
)

// OutputLimits are by class.
type OutputLimits [classCount]OutputLimit

// DefaultOutputLimits are Redis's.
func DefaultOutputLimits() OutputLimits {
	return OutputLimits{
		ClassReplica: {256 << 20, 64 << 20, 60},
		ClassPubSub:  {32 << 20, 8 << 20, 60},
	}
}

var classNames = [classCount]string{"normal", "slave", "pubsub"}

// String is how CONFIG GET shows them.
func (l *OutputLimits) String() string {
	var words []string
	for class, limit := range l {
		words = append(words, classNames[class], strconv.FormatInt(limit.Hard, 10), strconv.FormatInt(limit.Soft, 10), strconv.FormatInt(limit.SoftS, 10))
	}
	return strings.Join(words, " ")
}

// Set reads groups of a class and its three numbers; the text says what is wrong with them, and nothing has changed then (Redis 7.2 config.c,
// setConfigOutputBufferLimitOption).
func (l *OutputLimits) Set(value string) string {
	words := strings.Fields(value)
	if len(words)%4 != 0 {
		return "Wrong number of arguments in buffer limit configuration."
	}
	next := *l
	for ; len(words) > 0; words = words[4:] {
		class := classOf(words[0])
		if class < 0 {
			return "Invalid client class specified in buffer limit configuration."
		}
		hard, wrong := ParseMemory(words[1], 0)
		soft, wrong2 := ParseMemory(words[2], 0)
		seconds, wrong3 := ParseNumber(words[3], 0, math.MaxInt32)
		if wrong+wrong2+wrong3 != "" {
			return "Error in hard, soft or soft_seconds setting in buffer limit configuration."
		}
		next[class] = OutputLimit{hard, soft, seconds}
	}
	*l = next
	return ""
}

func classOf(word string) int {
	if strings.EqualFold(word, "replica") {
		return ClassReplica
	}
	for class, name := range classNames {
		if strings.EqualFold(word, name) {
			return class
		}
	}
	return -1
}

// Off tells whether there is no limit.
func (l *OutputLimit) Off() bool { return l.Hard == 0 && l.Soft == 0 }

// Over tells whether a client with so much unread output is to be closed. sinceNS is the client's own: since when it has been above the soft limit, 0 = it
// is not. Times are of any clock that only grows.
func (l *OutputLimit) Over(kept, nowNS int64, sinceNS *int64) bool {
	switch {
	case l.Soft == 0 || kept <= l.Soft:
		*sinceNS = 0
	case *sinceNS == 0:
		*sinceNS = max(1, nowNS)
	case nowNS-*sinceNS > l.SoftS*int64(time.Second):
		return true
	}
	return l.Hard > 0 && kept > l.Hard
}
