package backup

import "strings"

// Command lines of pgbtui that people are told to type. Rules: each works as it is printed, for somebody who may
// use sudo; a test reads all that the source prints, and has the program parse them.

// RestoreCommand begins the command lines that create, replace and rename databases. On this host's own server they
// are for its superuser by peer login; -g lets that user read the configuration. Elsewhere a login decides, which
// sudo would lose.
func RestoreCommand(host string) string {
	if host == "" || strings.HasPrefix(host, "/") {
		return "sudo -u postgres -g pgbtui pgbtui"
	}
	return "pgbtui"
}
