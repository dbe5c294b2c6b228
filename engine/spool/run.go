package spool

// begin starts the goroutine, which ends some time after Close.
func (f *File) begin() { go f.work() }
