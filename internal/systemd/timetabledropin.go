package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The drop-in of a timer that a sync writes, and those that others wrote.

const (
	scheduleMarker = `Written by "pgbtui jobs sync"`
	scheduleName   = "60-pgbtui-schedule.conf"
)

// scheduleText is the drop-in for what is wanted; "" where the installed unit's times are.
func scheduleText(w TimerWish) string {
	if len(w.Calendar) == 0 && w.Jitter == nil {
		return ""
	}
	text := "# " + scheduleMarker + ": do not edit; change the configuration and run it again.\n[Timer]\n"
	if len(w.Calendar) > 0 {
		text += "OnCalendar=\n"
	}
	for _, expression := range w.Calendar {
		text += "OnCalendar=" + expression + "\n"
	}
	if w.Jitter != nil {
		text += fmt.Sprintf("RandomizedDelaySec=%dms\n", w.Jitter.Milliseconds())
	}
	return text
}

func dropInPath(timer string) string { return unitDir + "/" + timer + ".d/" + scheduleName }

func isSchedule(r root, path string) bool {
	text, err := r.read(path)
	return err == nil && text != nil && isMarked(text, scheduleMarker)
}

// ownDropIns are the drop-ins that a sync has written, whether their timers are there or not.
func ownDropIns(r root) (paths []string) {
	found, _ := filepath.Glob(r.path(unitDir + "/" + backupBase + "*.timer.d/" + scheduleName))
	for _, full := range found {
		rel, err := filepath.Rel(r.path("/"), full)
		if path := "/" + rel; err == nil && isSchedule(r, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// dropInsOf are the drop-ins of a timer: those that systemd has read and those that lie in /etc, without those that are
// gone, in systemd's order.
func dropInsOf(r root, t Timer) (paths []string) {
	paths = append(paths, t.DropInPaths...)
	folders := []string{t.Name + ".d"}
	if base, _, instance := strings.Cut(t.Name, "@"); instance {
		folders = append(folders, base+"@.timer.d")
	}
	for _, folder := range folders {
		lying, _ := os.ReadDir(r.path(filepath.Join(unitDir, folder)))
		for _, f := range lying {
			if filepath.Ext(f.Name()) == ".conf" {
				paths = append(paths, filepath.Join(unitDir, folder, f.Name()))
			}
		}
	}
	slices.SortStableFunc(paths, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	paths = slices.Compact(paths)
	return slices.DeleteFunc(paths, func(path string) bool {
		_, err := os.Lstat(r.path(path))
		return err != nil
	})
}
