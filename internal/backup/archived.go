package backup

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// ArchiveState is whether a set of an archive class can be read now.
type ArchiveState string

// The states. A set of a class that can be read at once has none.
const (
	Archived       ArchiveState = "archived" // must be thawed first
	Thawing        ArchiveState = "thawing"  // somebody asked for it
	Thawed         ArchiveState = "thawed"   // a copy can be read for some days
	ArchiveUnknown ArchiveState = "unknown"  // the store did not say
)

// Archive is how a set of an archive class stands, when somebody has asked the store.
type Archive struct {
	State ArchiveState // "" = it can be read, or nobody asked
	Until time.Time    // of a thawed one: when its copy goes
}

// Unreadable reports whether the store would refuse to give the set's bytes.
func (a Archive) Unreadable() bool { return a.State == Archived || a.State == Thawing }

// Text is the state in words, or "".
func (a Archive) Text() string {
	switch a.State {
	case "":
		return ""
	case Thawed:
		return "thawed until " + a.Until.Local().Format("2006-01-02 15:04")
	case ArchiveUnknown:
		return "archived or not: unknown"
	case Archived, Thawing:
	}
	return string(a.State)
}

// ThawRecipe is the commands that thaw archived objects without pgbtui; Recipe is for afterwards. bucket is its name,
// endpoint is empty for AWS.
func ThawRecipe(objects []s3.Object, bucket, endpoint string) []string {
	if len(objects) == 0 {
		return nil
	}
	lines := []string{"# archived: ask for it, and wait for hours, until head-object shows ongoing-request=\"false\""}
	for _, o := range objects {
		request := "Days=7"
		if o.StorageClass == "INTELLIGENT_TIERING" { // there nothing is copied
			request = "GlacierJobParameters={Tier=Standard}"
		}
		lines = append(lines, awsFor(endpoint)+" s3api restore-object --bucket "+ShellQuote(bucket)+" --key "+
			ShellQuote(o.Key)+" --restore-request "+ShellQuote(request))
	}
	return lines
}
