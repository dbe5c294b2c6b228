package snapshot

import "io"

// start hands what is compressed to the store, until Commit or Abandon, which wait for it.
func (u *Upload) start(store put, in *io.PipeReader) {
	go func() {
		defer close(u.done)
		u.err = store(u.ctx, in)
		if u.err != nil {
			u.cancel(u.err)
		}
		_ = in.CloseWithError(u.err) // it has no other answer; a writer that goes on learns why
	}()
}
