package spool

// begin starts the goroutine, which ends with Close.
func (f *File) begin() {
	go func() {
		defer close(f.ended)
		for job := range f.jobs {
			job()
		}
		_ = f.file.Close() // nothing of it is to be kept
	}()
}
