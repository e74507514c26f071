package backup

import (
	"context"
	"errors"
	"sort"
	"strings"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A list has at most a thousand keys a page, and each page names where the next begins: one after the other, a
// hundred thousand keys are a hundred round trips. So where a page shows that many more sets of a database are to
// come, what is between is listed in ranges of time, since sets' names begin with theirs, several at once. Rules:
//
//   - the pages are taken in the order of their keys, as if they had come one after the other
//   - a bucket of a few pages costs no request more
//   - how many sets a range has is guessed from the page before; what was guessed wrong costs requests, no keys
//   - a store that does not list in order, or not from where it was asked to, is listed one page after the other

const (
	rangePages   = 6  // that a range is guessed to have
	crowdPages   = 12 // that are to come, so that ranges are worth it
	maxRanges    = 100
	rangesAtOnce = 4
	pagesAhead   = 4 // of a range, that wait until it is its turn
)

// errNotInOrder says that a list by ranges would miss or repeat keys.
var errNotInOrder = errors.New("the store does not list in the order of keys")

// lister takes all pages below a prefix.
type lister struct {
	bucket *s3.Bucket
	root   string // what sets' folders are below
	prefix string
	now    time.Time
	plain  bool // one page after the other
	take   func([]s3.Listed)

	last string // key that was taken
}

// keyRange are the keys behind after, up to and with until.
type keyRange struct{ after, until string }

func (l *lister) list(ctx context.Context) error {
	for {
		ranges, err := l.serially(ctx)
		if err != nil || ranges == nil {
			return err
		}
		if err := l.atOnce(ctx, ranges); err != nil {
			return err
		}
		l.last = ranges[len(ranges)-1].until
	}
}

// serially takes page after page until the end, or until it comes upon a crowd.
func (l *lister) serially(ctx context.Context) ([]keyRange, error) {
	for page, err := range l.bucket.ListPages(ctx, l.prefix, l.last) {
		if err != nil {
			return nil, err
		}
		if !l.plain && !inOrder(l.last, page.Objects) {
			return nil, errNotInOrder
		}
		l.take(page.Objects)
		if l.plain || len(page.Objects) == 0 {
			continue
		}
		l.last = strings.Clone(page.Objects[len(page.Objects)-1].Key)
		if ranges := l.crowd(page); page.More && ranges != nil {
			return ranges, nil
		}
	}
	return nil, nil
}

// inOrder reports whether keys go up, from behind after.
func inOrder(after string, objects []s3.Listed) bool {
	for i := range objects {
		if objects[i].Key <= after {
			return false
		}
		after = objects[i].Key
	}
	return true
}

// crowd are the ranges in which the rest of the last folder is listed, nil where it is not known to be large.
func (l *lister) crowd(page s3.Page) []keyRange {
	objects := page.Objects
	at, ours := ParseKey(strings.TrimPrefix(l.last, l.root))
	if !ours || at.Legacy {
		return nil
	}
	folder := strings.TrimSuffix(l.last, at.ID+"/"+at.rest)
	begin := sort.Search(len(objects), func(i int) bool { return objects[i].Key >= folder })
	first, ours := ParseKey(strings.TrimPrefix(objects[begin].Key, l.root))
	if !ours || first.Legacy {
		return nil
	}
	began, _ := IDBegan(first.ID)
	last, _ := IDBegan(at.ID)
	span, ahead := last.Sub(began), l.now.Sub(last)
	if span <= 0 || ahead <= 0 {
		return nil
	}
	pages := ahead.Seconds() / span.Seconds() * float64(len(objects)-begin) / float64(len(objects))
	if pages < crowdPages {
		return nil
	}
	return l.cut(folder, last, int(min(pages/rangePages, maxRanges)))
}

// cut divides the time from last until now.
func (l *lister) cut(folder string, last time.Time, n int) []keyRange {
	ranges := make([]keyRange, 0, n)
	after, step := l.last, l.now.Sub(last)/time.Duration(n)
	for i := range n {
		until := folder + last.Add(time.Duration(i+1)*step).UTC().Format(IDTime)
		if until > after {
			ranges = append(ranges, keyRange{after: after, until: until})
			after = until
		}
	}
	return ranges
}

// rangeRead is a range on its way. err is read once pages is closed.
type rangeRead struct {
	keyRange
	pages chan []s3.Listed
	err   error
}

// atOnce lists ranges, several at once, and takes their pages one range after the other.
func (l *lister) atOnce(ctx context.Context, ranges []keyRange) error {
	var group sync.WaitGroup
	defer group.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var going []*rangeRead
	for len(ranges) > 0 || len(going) > 0 {
		for len(ranges) > 0 && len(going) < rangesAtOnce {
			r := &rangeRead{keyRange: ranges[0], pages: make(chan []s3.Listed, pagesAhead)}
			going, ranges = append(going, r), ranges[1:]
			group.Go(func() { l.read(ctx, r) })
		}
		r := going[0]
		going = going[1:]
		for objects := range r.pages {
			l.take(objects)
		}
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

func (l *lister) read(ctx context.Context, r *rangeRead) {
	defer close(r.pages)
	after := r.after
	for page, err := range l.bucket.ListPages(ctx, l.prefix, r.after) {
		if err != nil {
			r.err = err
			return
		}
		objects := page.Objects
		if !inOrder(after, objects) {
			r.err = errNotInOrder
			return
		}
		end := sort.Search(len(objects), func(i int) bool { return objects[i].Key > r.until })
		select {
		case r.pages <- objects[:end]:
		case <-ctx.Done():
			r.err = ctx.Err()
			return
		}
		if end < len(objects) {
			return
		}
		if end > 0 {
			after = objects[end-1].Key
		}
	}
}
