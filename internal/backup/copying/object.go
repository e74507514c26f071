package copying

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// object brings one object of a set to the copy. byStore is whether none of its bytes passed through here.
func (c *Copier) object(ctx context.Context, set *backup.Set, want backup.Object, m *meter.Meter) (bool, error) {
	key := c.dirAt(set) + want.Key
	// A run that was interrupted may have brought it.
	if err := c.confirm(ctx, key, want); err == nil && want.CRC64NVME != "" {
		return true, nil
	}
	if c.byStore(ctx, set, want, m) {
		return true, nil
	}
	if err := c.streamed(ctx, set, want, m); err != nil {
		return false, err
	}
	if err := c.confirm(ctx, key, want); !errors.Is(err, errUnsummed) {
		return false, err
	}
	return false, nil
}

// confirm asks the copy's store what it has. Without a checksum of the store, the size has to do for what was hashed
// on its way.
func (c *Copier) confirm(ctx context.Context, key string, want backup.Object) error {
	o, err := c.To.Head(ctx, key)
	if err != nil {
		return err
	}
	if o.Size != want.SizeBytes || o.CRC64NVME != "" && want.CRC64NVME != "" && o.CRC64NVME != want.CRC64NVME {
		return fault.New(fault.Integrity, fmt.Sprintf("copy: the store of copy %q has other bytes under %s than were sent",
			c.At.Copy, key), "Run again. If it persists, check that store.", nil)
	}
	if o.CRC64NVME == "" && want.CRC64NVME != "" {
		return errUnsummed
	}
	return nil
}

// errUnsummed is that the size is right and the store keeps no checksum that could be compared.
var errUnsummed = errors.New("the store keeps no checksum of the object")

// byStore has the store copy an object by itself, where both places are of one store and its key may do that. It is
// believed only by the checksum: whoever replaced the object at the source would have it copied else.
func (c *Copier) byStore(ctx context.Context, set *backup.Set, want backup.Object, m *meter.Meter) bool {
	if c.streams || !c.To.SameStore(c.Env.Bucket) || want.CRC64NVME == "" || want.SizeBytes > s3.LargestCopy {
		return false
	}
	still := m.KeepAlive() // the store answers when it is done
	defer still()
	source, err := c.Env.Bucket.Head(ctx, set.Dir+want.Key)
	if err == nil {
		err = c.To.Copy(ctx, c.Env.Bucket, source, c.dirAt(set)+want.Key, s3.PutOptions{
			ContentType: backup.ContentType, Metadata: metadata(set), Class: c.class(want),
		})
	}
	if err == nil {
		err = c.confirm(ctx, c.dirAt(set)+want.Key, want)
	}
	if err == nil {
		return true
	}
	if code := fault.CodeOf(err); code == fault.NotPermitted || code == fault.Config || errors.Is(err, errUnsummed) {
		c.streams = true
		c.Env.Log.InfoContext(ctx, "the store does not copy by itself, so the bytes pass through this host: "+err.Error(),
			slog.String("copy", c.At.Copy))
	}
	return false
}

// class is the storage class at the copy: only dumps have one.
func (c *Copier) class(o backup.Object) string {
	if !backup.IsDump(o.Key) {
		return ""
	}
	return c.To.UploadClass()
}

func metadata(set *backup.Set) map[string]string { return map[string]string{"pgbtui-set": set.ID} }

// streamed reads an object at the source, and writes it at the copy in one pass; nothing appears there unless every
// byte is what the manifest says. What a wire damaged is read once more.
func (c *Copier) streamed(ctx context.Context, set *backup.Set, want backup.Object, m *meter.Meter) error {
	m.Limited(c.At.Bandwidth.String())
	defer m.Limited("") // what the store copies by itself is not
	return stored.Twice(ctx, c.Env, set.Dir+want.Key, func() error {
		body, err := stored.Open(ctx, c.Env.Bucket, set.Dir+want.Key, want)
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		key := c.dirAt(set) + want.Key
		if want.SizeBytes <= inOnePut {
			raw, err := bounded.ReadAll(io.TeeReader(body, m), inOnePut)
			if err != nil {
				return err
			}
			var moved atomic.Int64
			m.WatchMoved(moved.Load)
			_, err = c.To.Put(ctx, key, raw, s3.PutOptions{
				ContentType: backup.ContentType, Metadata: metadata(set), Class: c.class(want), Moved: &moved,
			})
			return err
		}
		return c.upload(ctx, set, want, key, body, m)
	})
}

// inOnePut is up to which size an object is sent by one request.
const inOnePut = 8 << 20

// upload counts what has left the host too: a slow or limited way takes long after the last byte was read.
func (c *Copier) upload(
	ctx context.Context, set *backup.Set, want backup.Object, key string, body io.Reader, m *meter.Meter,
) error {
	class := c.class(want)
	if class == "" {
		class = "STANDARD"
	}
	up, err := c.To.Upload(ctx, key, s3.UploadOptions{
		ExpectedBytes: want.SizeBytes, ContentType: backup.ContentType, Metadata: metadata(set), Class: class,
	})
	if err != nil {
		return err
	}
	m.WatchMoved(up.Moved)
	if _, err = io.Copy(up, io.TeeReader(body, m)); err == nil {
		_, err = up.Complete(ctx)
	}
	after, cancel := backup.Afterwards(ctx)
	defer cancel()
	if abortErr := up.Abort(after); abortErr != nil && err == nil {
		err = abortErr
	}
	return err
}
