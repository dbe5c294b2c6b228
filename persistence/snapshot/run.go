package snapshot

import (
	"io"

	"larder/process"
)

// start hands what is compressed to the store, until Commit or Abandon, which wait for it. Stores compute sums of what they get.
func (u *Upload) start(store put, in *io.PipeReader) {
	go func() {
		process.InBackground()
		defer close(u.done)
		u.err = store(u.ctx, in)
		if u.err != nil {
			u.cancel(u.err)
		}
		_ = in.CloseWithError(u.err) // it has no other answer; a writer that goes on learns why
	}()
}
