package meter

import "sync/atomic"

// counter counts the bytes of a stage, and everything else that shows that something moves.
type counter struct {
	bytes atomic.Int64 // raw bytes of this stage
	moved atomic.Int64 // bytes and pulses of all stages; only compared
}

func (c *counter) add(n int) {
	c.bytes.Add(int64(n))
	c.moved.Add(int64(n))
}

// pulse is movement without a byte.
func (c *counter) pulse() { c.moved.Add(1) }

// restart begins a stage, which is movement too.
func (c *counter) restart() {
	c.bytes.Store(0)
	c.pulse()
}
