//go:build cgo

package journal

func sources() map[string]func(string) (source, error) {
	return map[string]func(string) (source, error){"libsystemd": openSD, "journalctl": openJournalctl}
}
