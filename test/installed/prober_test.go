package installed

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Code that got to run where it should not: it reads whatever its user can read, and says which of the planted
// secrets it found. In the lab this binary is called as
//
//	prober scan    looks, and prints the names of what it found
//	prober hold    in a unit's place: waits for a sign, looks, and goes on running until another sign

const (
	probeDir  = "/run/prober"
	probeLook = probeDir + "/look"
	probeEnd  = probeDir + "/end"
)

// planted are the secrets by name; a probe looks for the text of each.
func planted() map[string]string {
	return map[string]string{
		"people": peopleSecret, "writer": writerSecret, "prover": proverSecret, "keeper": keeperSecret, "reader": readerSecret,
		"signing-key": "canary-signing-key", "age-identity": "canary-age-identity", "database-password": "canary-database-password",
		"alert-urls": "canary-alert-address", "environment's key": "canary-environment-token",
		"environment's password": "canary-environment-password", "environment's hook": "canary-environment-hook",
	}
}

func probe(args []string) int {
	if len(args) > 0 && args[0] == "hold" {
		waitFor(probeLook)
	}
	fmt.Println("found: " + strings.Join(scan(), ", "))
	if len(args) > 0 && args[0] == "hold" {
		waitFor(probeEnd)
	}
	return 0
}

func waitFor(file string) {
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(pace)
	}
}

// scan reads every file where secrets are or come by, and every process.
func scan() []string {
	found := map[string]bool{}
	look := func(text []byte) {
		for name, secret := range planted() {
			if bytes.Contains(text, []byte(secret)) {
				found[name] = true
			}
		}
	}
	places := []string{"/etc/pgbtui", "/run/credentials", "/run/pgbtui", "/var/lib/pgbtui", "/root", "/etc/systemd/system"}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		if comm, _ := os.ReadFile(process + "/comm"); strings.HasPrefix(string(comm), "s3server") {
			continue // its command line holds every key, and it is no part of pgbtui
		}
		places = append(places, process+"/environ", process+"/cmdline", process+"/root/run/credentials", process+"/root/etc/pgbtui", process+"/cwd/", process+"/fd/")
	}
	for _, place := range places {
		_ = filepath.WalkDir(place, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // what cannot be read is what this is about
			}
			if d.IsDir() && strings.Count(file, "/") > strings.Count(place, "/")+4 {
				return fs.SkipDir
			}
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Size() < 1<<20 {
				if text, err := os.ReadFile(file); err == nil {
					look(text)
				}
			}
			return nil
		})
	}
	for _, line := range os.Environ() {
		look([]byte(line))
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var errStillLooking = errors.New("it is still looking")
