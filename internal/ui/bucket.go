// Screen 6, Bucket: how the buckets are set up, what the sets cost a month and will cost, by these rules or by others,
// how they grew, what runs left behind, and which sets are archived. It scrolls; from 120 columns the money stands
// beside the rest.

package ui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

type bucketScreen struct {
	*shared
	pager
	ctx context.Context

	buckets  feed[[]BucketView]
	projects feed[[]Projection]

	asking  bool // a what-if is typed
	changes line
	asked   string // the changes that the projections are for
}

type (
	bucketsMsg struct {
		buckets []BucketView
		err     error
	}
	projectionsMsg struct {
		projections []Projection
		err         error
	}
)

func newBucket(sh *shared) *bucketScreen { return &bucketScreen{shared: sh} }

func (s *bucketScreen) name() string { return "Bucket" }

func (s *bucketScreen) enter(ctx context.Context) tea.Cmd {
	s.ctx = ctx
	if s.Sources.Buckets == nil {
		s.buckets.put(s.now, nil, s.missing("buckets"))
		return nil
	}
	return tea.Batch(s.readBuckets(), s.readProjections())
}

func (s *bucketScreen) readBuckets() tea.Cmd {
	src := s.Sources.Buckets
	return s.buckets.asker.ask(s.ctx, s.update, func(ctx context.Context) tea.Msg {
		buckets, err := src.Buckets(ctx)
		return bucketsMsg{buckets: buckets, err: err}
	})
}

func (s *bucketScreen) readProjections() tea.Cmd {
	src, changes := s.Sources.Buckets, strings.Fields(s.asked)
	return s.projects.asker.ask(s.ctx, s.update, func(ctx context.Context) tea.Msg {
		projections, err := src.Projections(ctx, changes)
		return projectionsMsg{projections: projections, err: err}
	})
}

func (s *bucketScreen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case bucketsMsg:
		s.buckets.put(s.now, msg.buckets, msg.err)
	case projectionsMsg:
		s.projects.put(s.now, msg.projections, msg.err)
	}
	return nil
}

func (s *bucketScreen) keys() []binding {
	off := ""
	if s.Sources.Buckets == nil {
		off = "the bucket cannot be read here"
	}
	archived := ""
	if len(s.archived()) == 0 {
		archived = "no backup is archived"
	}
	preview := retentionKey(s.shared, Job{}, false) // of the only job
	if len(s.Jobs) != 1 {
		preview.off = "there are several jobs: 2, then p on a backup of the one"
	}
	return append([]binding{
		{
			keys: []string{"f"}, short: "what if", off: off,
			help: "what it would cost by other rules: keep.days=90 class=GLACIER_IR …", run: func() tea.Cmd {
				s.asking = true
				s.changes.set(s.asked)
				return nil
			},
		},
		{
			keys: []string{"t"}, short: "archived", help: "the archived backups in the list, where T thaws one", off: archived,
			run: func() tea.Cmd {
				s.post(gotoMsg(1))
				return s.post(filterMsg("archive:"))
			},
		},
		preview,
	}, s.moves()...)
}

// typing takes the changes of a what-if.
func (s *bucketScreen) typing() bool { return s.asking }

func (s *bucketScreen) typed(k tea.KeyMsg) (tea.Cmd, bool) {
	if !s.asking {
		return nil, false
	}
	switch k.String() {
	case "esc":
		s.asking = false
	case "enter":
		s.asking = false
		s.asked = strings.TrimSpace(s.changes.text())
		s.projects = feed[[]Projection]{asker: s.projects.asker} // what was shown is of other changes
		return s.readProjections(), true
	default:
		s.changes.key(k)
	}
	return nil, true
}

// archived are the sets of which the store would not give the bytes, or gives a copy for some days.
func (s *bucketScreen) archived() []*backup.Set {
	var out []*backup.Set
	for i := range s.sets.value {
		if set := &s.sets.value[i]; set.Archive.State != "" {
			out = append(out, set)
		}
	}
	return out
}

func (s *bucketScreen) copyText() string {
	if len(s.buckets.value) > 0 {
		return s.buckets.value[0].Place
	}
	return ""
}

func (s *bucketScreen) cliLine() string {
	if s.asked != "" {
		words := []string{"pgbtui cost"}
		for _, change := range strings.Fields(s.asked) {
			words = append(words, "--if "+shellWord(change))
		}
		return strings.Join(words, " ")
	}
	return "pgbtui aws bucket plan"
}
