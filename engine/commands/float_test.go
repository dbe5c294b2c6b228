package commands_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// drawFloat draws a number of any form, with up to 40 digits and exponents to both ends of a long double.
func drawFloat(rng *rand.Rand) string {
	digits := func(most int, set string) string {
		b := make([]byte, rng.IntN(most+1))
		for i := range b {
			b[i] = set[rng.IntN(len(set))]
		}
		return string(b)
	}
	sign := []string{"", "", "-", "+"}[rng.IntN(4)]
	switch rng.IntN(8) {
	case 0:
		return sign + digits(20, "0123456789") + "." + digits(20, "0123456789")
	case 1:
		return fmt.Sprintf("%s%s.%se%d", sign, digits(25, "0123456789"), digits(25, "0123456789"), rng.IntN(80)-40)
	case 2:
		return fmt.Sprintf("%s%s.%sE%+d", sign, digits(3, "0123456789"), digits(30, "059"), rng.IntN(10000)-5000)
	case 3:
		return fmt.Sprintf("%s0x%s.%sp%d", sign, digits(20, "0123456789abcdefABCDEF"), digits(20, "08fF"), rng.IntN(200)-100)
	case 4:
		return fmt.Sprintf("%s0X%s.%sP%d", sign, digits(5, "08f"), digits(20, "08f"), rng.IntN(33000)-16500)
	case 5:
		return sign + strconv.FormatUint(rng.Uint64(), 10)
	case 6: // a half of the 17th digit, or nearly
		return sign + digits(2, "0123456789") + "." + digits(15, "0123456789") + "0000000000000000"[:rng.IntN(3)] + "5" + digits(3, "05")
	}
	return fmt.Sprintf("%s%d.%02d", sign, rng.IntN(1000), rng.IntN(100))
}

// TestFloatsAsRedis adds drawn numbers to drawn numbers, and to sums of them.
func TestFloatsAsRedis(t *testing.T) {
	p := newPair(t, startRedis(t), 2)
	rng := rand.New(rand.NewPCG(*seedFlag, 7))
	const batches, batch = 20, 400
	for range batches {
		var cmds [][]string
		for range batch {
			if rng.IntN(3) == 0 {
				cmds = append(cmds, []string{"SET", "f", drawFloat(rng)})
			}
			n := drawFloat(rng)
			cmds = append(cmds, []string{"INCRBYFLOAT", "f", n})
			if strings.ContainsAny(n, "EP") { // the sum may be huge, and hide what is added to it next
				cmds = append(cmds, []string{"SET", "f", drawFloat(rng)})
			}
		}
		p.run(cmds)
	}
	p.compareKeyspace()
}

func TestFloatsTooLong(t *testing.T) {
	p := newPair(t, startRedis(t), 2)
	for _, n := range []int{4900, 4930, 5000, 5118, 5119, 5120, 6000} {
		p.run([][]string{
			{"DEL", "f"},
			{"INCRBYFLOAT", "f", "0." + strings.Repeat("0", n-3) + "1"},
			{"INCRBYFLOAT", "f", "0" + strings.Repeat("0", n-3) + "1."},
			{"INCRBYFLOAT", "f", strings.Repeat("9", n-8) + "e-" + strconv.Itoa(n-8)},
			{"INCRBYFLOAT", "f", strings.Repeat("9", n)},
			{"INCRBYFLOAT", "f", "-" + strings.Repeat("9", n-1)},
			{"INCRBYFLOAT", "f", "0x" + strings.Repeat("0", n-10) + "1p-4"},
		})
	}
}
