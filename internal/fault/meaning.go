package fault

// Meaning is the code in a few words, as README.md has it.
func (c Code) Meaning() string {
	switch c {
	case OK:
		return "done"
	case Warnings:
		return "done, with warnings"
	case Refused:
		return "refused, nothing was changed"
	case Usage:
		return "wrong command line"
	case Integrity:
		return "stored bytes do not match"
	case NotFound:
		return "no such database, backup or bucket"
	case Unavailable:
		return "PostgreSQL or S3 cannot be reached"
	case NoSpace:
		return "no space left"
	case Temporary:
		return "locked or temporarily unavailable"
	case NotPermitted:
		return "not permitted"
	case Config:
		return "wrong configuration"
	case Interrupted, Terminated:
		return "stopped by a signal"
	case Failed:
	}
	return "failed"
}
