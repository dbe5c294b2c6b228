package conform

// Shrink leaves out as many steps as it can while fails still says true of the rest, trying at most tries times. Halves go first, then single steps.
func Shrink[T any](steps []T, tries int, fails func([]T) bool) []T {
	for size := len(steps) / 2; size > 0; size /= 2 {
		for at := 0; at < len(steps); {
			if tries == 0 {
				return steps
			}
			tries--
			end := min(at+size, len(steps))
			rest := append(append([]T(nil), steps[:at]...), steps[end:]...)
			if len(rest) > 0 && fails(rest) {
				steps = rest
			} else {
				at = end
			}
		}
	}
	return steps
}
