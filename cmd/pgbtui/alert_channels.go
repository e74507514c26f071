package main

import (
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
)

// alertChannels are the places that take the alerts of a job, each once; c is nil when the configuration
// cannot be read, and what does not stand in it is used all the same. An address that cannot be used is
// among the errors and does not keep the others from being used.
func alertChannels(env *environment, c *config.Config, jobs ...config.Job) (found []notify.Channel, bad []error) {
	add := func(address string, criticalOnly bool) {
		ch, err := notify.NewChannel(len(found)+len(bad)+1, address, criticalOnly)
		if err != nil {
			bad = append(bad, err)
			return
		}
		for i := range found {
			if found[i].Same(ch) {
				found[i].CriticalOnly = found[i].CriticalOnly && criticalOnly
				return
			}
		}
		found = append(found, ch)
	}
	hooks := []string{}
	for _, job := range jobs {
		hooks = append(hooks, job.Alert.SlackWebhook)
	}
	if c == nil {
		hooks = append(hooks, env.getenv("SLACK_WEBHOOK_URL"))
	}
	for _, hook := range hooks {
		if hook != "" {
			add(hook, false)
		}
	}
	for _, address := range credentialAddresses(env, &bad) {
		add(address, false)
	}
	seen := map[config.Channel]bool{} // jobs share those of the file's top
	for _, job := range jobs {
		for _, ch := range job.Alert.Channels {
			if seen[ch] {
				continue
			}
			seen[ch] = true
			address, err := channelAddress(ch)
			if err != nil {
				bad = append(bad, err)
				continue
			}
			add(address, ch.Severity == config.SeverityCritical)
		}
	}
	return found, bad
}

func channelAddress(c config.Channel) (string, error) {
	if c.URLFile == "" {
		return c.URL, nil
	}
	text, err := bounded.ReadFile(c.URLFile, bounded.File)
	if err != nil {
		return "", fault.New(fault.Config, "read the address of a channel",
			"Make the file readable for user pgbtui: root:pgbtui, mode 0640.", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// credentialAddresses are the lines of the systemd credential alert-urls.
func credentialAddresses(env *environment, bad *[]error) []string {
	file := env.credential("alert-urls")
	if file == "" {
		return nil
	}
	text, err := bounded.ReadFile(file, bounded.File)
	if err != nil {
		*bad = append(*bad, fmt.Errorf("read the credential alert-urls: %w", err))
		return nil
	}
	var addresses []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			addresses = append(addresses, line)
		}
	}
	return addresses
}
