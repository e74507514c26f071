package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is what the figures depend on.
type machine struct {
	cores    int
	model    string
	memory   int64 // bytes
	system   string
	load     string // average over one minute before anything started
	postgres string
	programs []string // with their versions
}

func lookAround(ctx context.Context) machine {
	m := machine{
		cores: runtime.NumCPU(), model: after("/proc/cpuinfo", "model name"), memory: procMemory(),
		system: strings.Trim(after("/etc/os-release", "PRETTY_NAME"), `"`),
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.system += ", Linux " + unix.ByteSliceToString(name.Release[:])
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.load = strings.Fields(string(b))[0]
	}
	m.programs = []string{runtime.Version()}
	for _, program := range []string{"zstd", "aws", "restic", "pgbackrest"} {
		if out, err := exec.CommandContext(ctx, program, versionArgument(program)).Output(); err == nil {
			m.programs = append(m.programs, shortVersion(program, string(out)))
		}
	}
	return m
}

func versionArgument(program string) string {
	if program == "restic" || program == "pgbackrest" {
		return "version"
	}
	return "--version"
}

// version is the server's, in its own words.
func (r *rig) version(ctx context.Context) string {
	out, err := r.command(ctx, r.server.BinDir+"/postgres", "--version").Output()
	if err != nil {
		return "PostgreSQL of unknown version"
	}
	return strings.Replace(strings.TrimSpace(string(out)), "postgres (PostgreSQL)", "PostgreSQL", 1)
}

// shortVersion takes the number out of a program's sentence about itself.
func shortVersion(program, text string) string {
	for _, word := range strings.Fields(text) {
		word = strings.TrimPrefix(word, "aws-cli/")
		if number := strings.Trim(strings.TrimPrefix(word, "v"), ","); number != "" && number[0] >= '0' && number[0] <= '9' && strings.Contains(number, ".") {
			return program + " " + number
		}
	}
	return program
}

// after is what follows `name =` or `name :` at the start of a line of file.
func after(file, name string) string {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(strings.TrimLeft(rest, " \t:="))
		}
	}
	return ""
}

func procMemory() (bytes int64) {
	_, _ = fmt.Sscanf(after("/proc/meminfo", "MemTotal"), "%d kB", &bytes)
	return bytes << 10
}
