package restore

import "io"

// untilEnd starts something when its source has ended: indexes and constraints are made after
// the last byte was read, and no byte can show that work.
type untilEnd struct {
	r    io.Reader
	then func() (stop func())
	end  func()
}

func (u *untilEnd) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && u.end == nil {
		u.end = u.then()
	}
	return n, err
}

func (u *untilEnd) stop() {
	if u.end != nil {
		u.end()
	}
}
