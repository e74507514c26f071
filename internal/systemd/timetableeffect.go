// Which times hold once a drop-in is written or gone, read from the files as systemd would.

package systemd

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// effective is what the files of a timer say together, with the drop-in at own as it is to be. It notes who else sets
// the times.
func (c *TimerChange) effective(r root, t Timer, own string) Timing {
	type source struct{ path, text string }
	sources := []source{{path: t.FragmentPath, text: fileText(r, t.FragmentPath)}}
	others := slices.DeleteFunc(dropInsOf(r, t), func(path string) bool { return path == own })
	if c.text != "" {
		others = append(others, own)
		slices.SortStableFunc(others, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	}
	for _, path := range others {
		text := c.text
		if path != own {
			text = fileText(r, path)
		}
		sources = append(sources, source{path: path, text: text})
	}
	var settings []setting
	for i, s := range sources {
		parsed := parseUnit(s.text)
		settings = append(settings, parsed...)
		if i > 0 && s.path != own && setsTimes(parsed) && !isOurs([]byte(s.text)) {
			c.ByHand = append(c.ByHand, s.path)
		}
	}
	after := Timing{Calendar: values(settings, "Timer", "OnCalendar"), Jitter: t.RandomizedDelay}
	if c.text == "" && len(c.ByHand) == 0 && c.Remove == "" {
		return after
	}
	after.Jitter = 0
	if delays := values(settings, "Timer", "RandomizedDelaySec"); len(delays) > 0 {
		after.Jitter = parseSpan(delays[len(delays)-1])
	}
	return after
}

func fileText(r root, path string) string {
	if path == "" {
		return ""
	}
	text, err := r.read(path)
	if err != nil {
		return ""
	}
	return string(text)
}

func setsTimes(settings []setting) bool {
	return slices.ContainsFunc(settings, func(s setting) bool {
		return s.section == "Timer" && (s.key == "OnCalendar" || s.key == "RandomizedDelaySec")
	})
}

// spanUnits are systemd's units of time spans that Go does not read.
var spanUnits = strings.NewReplacer(
	"hours", "h", "hour", "h", "hr", "h", "minutes", "m", "minute", "m", "min", "m",
	"seconds", "s", "second", "s", "sec", "s", "msec", "ms",
)

// parseSpan reads a time span as unit files have them, as far as random delays go: "30min", "1h 30min", "90", "2d"; 0
// where it says something else.
func parseSpan(text string) (sum time.Duration) {
	for _, word := range strings.Fields(text) {
		word = spanUnits.Replace(word)
		if strings.Trim(word, "0123456789") == "" {
			word += "s"
		}
		days, isDays := strings.CutSuffix(word, "d")
		if isDays {
			word = days + "h"
		}
		span, err := time.ParseDuration(word)
		if err != nil {
			return 0
		}
		if isDays {
			span *= 24
		}
		sum += span
	}
	return sum
}
