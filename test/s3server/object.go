package s3server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (s *Server) putObject(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	cond, err := c.writeConditions()
	if err != nil {
		return err
	}
	set, err := c.settings()
	if err != nil {
		return err
	}
	asked, err := c.askedLock()
	if err != nil {
		return err
	}
	if err := b.mayLock(c, asked); err != nil {
		return err
	}
	g := b.watch(c.key)
	defer b.unwatch(g)
	o, err := s.receive(c, b, set)
	if err != nil {
		return err
	}
	o.Lock = asked
	if err := b.commit(o, cond, g); err != nil {
		b.discard(o.Segments...)
		return err
	}
	h := c.w.Header()
	o.describe(h)
	o.describeSums(h)
	b.named(h, o.Version)
	h.Set("ETag", quote(o.ETag))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// receive stores the request's body as an object that is not yet its key's.
func (s *Server) receive(c *call, b *bucket, set Settings) (*object, error) {
	p, err := c.newPayload()
	if err != nil {
		return nil, err
	}
	alg := p.algorithm()
	if alg == "" {
		alg = algCRC64NVME // S3's own choice since December 2024
		p.sums[alg] = alg.hash()
	}
	seg, got, err := b.write(p)
	if err != nil {
		return nil, err
	}
	return &object{
		Key: c.key, ETag: newETag(set.SSE, got.md5), Size: got.size, Modified: s.now(), Settings: set,
		Segments: []segment{seg}, Sum: map[algorithm]string{alg: got.sums[alg]}, SumType: fullObject,
	}, nil
}

// absent is the error for an object that is not there: a caller that may not list is not told so.
func (c *call) absent(err error) error {
	if !c.policy.Allows("s3:ListBucket", c.resource("")) {
		return c.notAuthorized("s3:ListBucket", "")
	}
	return err
}

// getObject serves GET and HEAD.
func (s *Server) getObject(c *call) error {
	b, err := s.store.bucket(c.bucket)
	if err != nil {
		return err
	}
	o, err := b.acquire(c.key, c.query.Get("versionId"))
	if err != nil {
		return c.absent(err)
	}
	defer b.release(o)
	if err := readConditions(c.r.Header, o); err != nil {
		return err
	}
	now := b.stateOf(o, s.now())
	if now.archived && c.op == OpGetObject {
		return apiErr(http.StatusForbidden, "InvalidObjectState", "The operation is not valid for the object's storage class")
	}
	h := c.w.Header()
	o.describeFully(h)
	if !s.opt.HideLocks && c.policy.Allows("s3:GetObjectRetention", c.resource(c.key)) {
		now.lock.describe(h)
	}
	b.named(h, o.Version)
	if expiry := b.expiryOf(o); expiry != "" {
		h.Set("X-Amz-Expiration", expiry)
	}
	if now.tier != "" {
		h.Set("X-Amz-Archive-Status", now.tier)
	}
	if now.restore != "" {
		h.Set("X-Amz-Restore", now.restore)
	}
	offset, length, status, err := c.byteRange(o.Size)
	if err != nil {
		return err
	}
	if status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, offset+length-1, o.Size))
	} else if strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		o.describeSums(h) // a range has no checksum of its own
	}
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	c.w.WriteHeader(status)
	if c.op == OpHeadObject {
		return nil
	}
	if err := b.read(c.w, o, offset, length); err != nil {
		panic(http.ErrAbortHandler) // the header is out: only a broken connection can tell the client
	}
	return nil
}

// byteRange reads Range: one range of bytes. What cannot be parsed is ignored, as RFC 9110 allows and S3 does.
func (c *call) byteRange(size int64) (offset, length int64, status int, err error) {
	spec, ok := strings.CutPrefix(c.r.Header.Get("Range"), "bytes=")
	from, to, isRange := strings.Cut(spec, "-")
	if !ok || !isRange || strings.Contains(to, ",") {
		return 0, size, http.StatusOK, nil
	}
	unsatisfiable := apiErr(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	first, errFirst := strconv.ParseUint(from, 10, 62) // 62 bits fit into an int64
	last, errLast := strconv.ParseUint(to, 10, 62)
	switch {
	case from == "" && errLast == nil: // the last bytes
		n := min(int64(last), size)
		if n == 0 {
			return 0, 0, 0, unsatisfiable
		}
		return size - n, n, http.StatusPartialContent, nil
	case errFirst != nil || (to != "" && errLast != nil) || (to != "" && last < first):
		return 0, size, http.StatusOK, nil //nolint:nilerr // ignored, see above
	case int64(first) >= size:
		return 0, 0, 0, unsatisfiable
	}
	end := size - 1
	if to != "" {
		end = min(end, int64(last))
	}
	return int64(first), end - int64(first) + 1, http.StatusPartialContent, nil
}
