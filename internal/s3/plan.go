package s3

// plan sizes the parts of a stream whose length is only guessed.
//
// The first four fifths of the parts hold the expected bytes. Should the stream go on, the size
// doubles after every ninetieth of the parts: 10,000 parts of 5 MiB, meant for 39 GiB, still reach
// the largest object that S3 allows, 5 TiB.
//
// Where all parts must have one size (Cloudflare R2), they are chosen for twice the expected bytes, and there is
// no more room than that.
type plan struct {
	base, largest int64 // bytes
	parts         int64 // allowed number
	equal         bool
}

const mebi = 1 << 20

// planFor is the plan of an upload with a bucket's options.
func planFor(expected int64, o Options) plan {
	if o.EqualParts {
		p := newPlan(2*expected, o.PartSizeMin, o.PartSizeMax, o.MaxParts)
		p.equal = true
		return p
	}
	return newPlan(expected, o.PartSizeMin, o.PartSizeMax, o.MaxParts)
}

func newPlan(expected, smallest, largest int64, parts int) plan {
	p := plan{base: smallest, largest: largest, parts: int64(parts)}
	need := ceilDiv(max(expected, 0), p.planned())
	need = ceilDiv(need, mebi) * mebi
	p.base = min(max(need, smallest), largest)
	return p
}

// planned is how many parts hold the expected bytes.
func (p plan) planned() int64 { return max(p.parts*4/5, 1) }

// size is how large part number (from 1) is to be.
func (p plan) size(number int64) int64 {
	beyond := number - p.planned()
	if beyond <= 0 || p.equal {
		return p.base
	}
	step := max(p.parts/90, 1)
	doublings := min(ceilDiv(beyond, step), 30)
	if p.base > p.largest>>doublings {
		return p.largest
	}
	return p.base << doublings
}

const (
	// roomForParts is what parts on the way may take. One has to wait for its round trip and its share of the link: over
	// one of 80 ms that gives each connection 30 MB/s, five of 5 MiB are 100 MB/s, which is more than a stream has.
	roomForParts = 25 << 20
	// leastParallel is for parts of large databases, each of which keeps a connection busy for longer.
	leastParallel = 2
	// mostParallel bounds the connections of a stream.
	mostParallel = 5
)

// parallelParts is how many parts of a size may be on the way at once.
func parallelParts(size int64) int {
	return int(min(max(ceilDiv(roomForParts, max(size, 1)), leastParallel), mostParallel))
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }
