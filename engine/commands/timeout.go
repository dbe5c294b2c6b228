package commands

import "math"

const (
	errTimeout         = "ERR timeout is not a float or out of range"
	errTimeoutNegative = "ERR timeout is negative"
)

// parseTimeout reads for how long a client wants to wait, in seconds with a fraction, and gives it in milliseconds, upwards; 0: for ever.
func (c *Call) parseTimeout(arg []byte) (ms int64, err string) {
	f, ok := parseFloat(arg)
	if !ok {
		return 0, errTimeout
	}
	seconds := math.Ldexp(float64(f.mantissa), f.exp)
	if f.infinite {
		seconds = math.Inf(1)
	}
	if f.negative {
		seconds = -seconds
	}
	switch wait := math.Ceil(seconds * 1000); {
	case wait >= math.MaxInt64:
		return 0, errTimeoutRange
	case wait < 0:
		return 0, errTimeoutNegative
	default:
		ms = int64(wait)
	}
	if ms > math.MaxInt64-c.NowMS {
		return 0, errTimeoutRange
	}
	return ms, noError
}
