package buckettest

// background runs f beside the test, which must receive from the channel before it ends.
func background(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}
