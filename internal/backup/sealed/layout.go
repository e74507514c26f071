package sealed

// Where the parts of a stream lie in what is stored: raw bytes in frames, frames in chunks of age.

// Span is the bytes [From, To).
type Span struct{ From, To int64 }

// Len is how many bytes that is.
func (s Span) Len() int64 { return s.To - s.From }

// Bounds of an index that is believed: the largest frame held in memory, and what zstd may add to
// bytes that do not compress.
const (
	maxFrameBytes = 64 << 20
	frameOverhead = 1 << 20
)

// age's payload (age-encryption.org/v1): chunks of 64 KiB, each with 16 bytes of authentication.
// Header and nonce come before them; their length follows from that of everything else.
const (
	chunkBytes  = 64 << 10
	sealedChunk = chunkBytes + 16
)

// layout is an index brought together with the stored object.
type layout struct {
	index  Index
	starts []int64 // of the frames in the compressed stream, and its end
	stored int64
	sealed bool  // by age
	chunks int64 // of age
	head   int64 // age's header and nonce, stored bytes before the first chunk
}

// newLayout is false for an index that is not there, vouches for nothing, or is not that of such
// an object.
func newLayout(index Index, stored int64, encrypted bool) (layout, bool) {
	l := layout{index: index, stored: stored, sealed: encrypted, starts: []int64{0}}
	if index.FrameBytes < 1 || index.FrameBytes > maxFrameBytes || index.RawBytes < 0 ||
		int64(len(index.Sizes)) != max(1, divideUp(index.RawBytes, index.FrameBytes)) ||
		len(index.Digests) != digestBytes*len(index.Sizes) {
		return l, false
	}
	var end int64
	for _, size := range index.Sizes {
		if size < 1 || size > index.FrameBytes+frameOverhead {
			return l, false
		}
		end += size
		l.starts = append(l.starts, end)
	}
	if !encrypted {
		return l, end == stored
	}
	l.chunks = divideUp(end, chunkBytes)
	l.head = stored - end - l.chunks*(sealedChunk-chunkBytes)
	return l, l.head > 0
}

func divideUp(n, by int64) int64 { return (n + by - 1) / by }

// compressed is the place of a frame in the compressed stream.
func (l layout) compressed(frame int64) Span {
	return Span{l.starts[frame], l.starts[frame+1]}
}

// digest is what a compressed frame must have.
func (l layout) digest(frame int64) []byte {
	return l.index.Digests[frame*digestBytes : (frame+1)*digestBytes]
}

// last is where age's last chunk lies: it vouches for the length, and is always read.
func (l layout) last() Span {
	return Span{l.head + (l.chunks-1)*sealedChunk, l.stored}
}

// skipBytes is how much is read and thrown away rather than asked for in another request.
const skipBytes = 64 << 10

// fetches are the ranges of the stored object that hold raw bytes, in order; what is needed
// of age's header and last chunk comes beside them. wanted is in order.
func (l layout) fetches(wanted []Span) (spans []Span) {
	for _, w := range wanted {
		if w.Len() <= 0 {
			continue
		}
		first, last := w.From/l.index.FrameBytes, (w.To-1)/l.index.FrameBytes
		s := l.place(Span{l.starts[first], l.starts[last+1]})
		if n := len(spans); n > 0 && s.From-spans[n-1].To <= skipBytes {
			spans[n-1].To = max(spans[n-1].To, s.To)
		} else if s.Len() > 0 {
			spans = append(spans, s)
		}
	}
	return spans
}

// place is where a part of the compressed stream is stored, in whole chunks, less the last chunk.
func (l layout) place(c Span) Span {
	if !l.sealed {
		return c
	}
	return Span{
		min(l.head+c.From/chunkBytes*sealedChunk, l.last().From),
		min(l.head+divideUp(c.To, chunkBytes)*sealedChunk, l.last().From),
	}
}

// within reports whether spans are in order and inside the raw stream.
func (l layout) within(spans []Span) bool {
	at := int64(0)
	for _, s := range spans {
		if s.From < at || s.To < s.From || s.To > l.index.RawBytes {
			return false
		}
		at = s.To
	}
	return true
}
