package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Who may do and read what on this host: operators, files, secrets, and the private key.

// rights are those of whoever runs this.
func (c *machineChecks) rights(ctx context.Context) {
	if err := c.Journal(ctx); err != nil {
		c.failed("units.journal", Warn, "open the system's journal", err)
	} else {
		c.ok("units.journal", "open the system's journal", "this user may read it")
	}
	const id, tried = "units.polkit", "look for the rule of the units"
	_, err := os.Stat(c.Root + systemd.PolkitRule())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.add(id, seen{
			result: Fail, tried: tried, seen: systemd.PolkitRule() + " is not there: only root starts units",
			remedy: remedyInstall,
		})
	case err != nil:
		c.unknown(id, tried, "root alone can look into its folder", "Run `sudo pgbtui doctor --only units.polkit`.")
	default:
		c.ok(id, tried, "it is there, and units.files compares it")
	}
}

func (c *machineChecks) modes() {
	const id, tried = "units.modes", "look at owners and modes of files with settings and secrets"
	wrong := systemd.WrongModes(c.Root)
	if open := OpenSecrets(c.Config.SecretFiles(c.job)); open != nil {
		c.failed(id, Fail, tried, open)
		return
	}
	if len(wrong) > 0 {
		c.add(id, seen{
			result: Fail, tried: tried,
			seen:   "others than root and its group may look into, or write: " + strings.Join(wrong, ", "),
			remedy: "Run `sudo pgbtui units install`, and chmod o-rwx on what it does not mend.",
		})
		return
	}
	c.ok(id, tried, "none is open to others")
}

func (c *machineChecks) secrets() {
	const id, tried = "units.secrets", "compare the secrets that are here with those that units load"
	wiring, err := systemd.CheckWiring(c.Root)
	switch {
	case errors.Is(err, fs.ErrPermission):
		c.unknown(id, tried, "root alone can look", "Run `sudo pgbtui doctor --only units.secrets`.")
	case err != nil:
		c.failed(id, Unknown, tried, err)
	default:
		text := "none in " + systemd.SecretDir + "; units use what the configuration names"
		if len(wiring.Found) > 0 {
			text = "each goes to its units: " + strings.Join(wiring.Found, ", ")
		}
		c.judge(id, tried, text, WiringFaults(wiring))
	}
}

func (c *machineChecks) privateKey() {
	const id, tried = "units.private-key", "look for the private key of encrypted sets"
	if len(c.job.Encryption.Recipients) == 0 {
		c.ok(id, tried, "sets are not encrypted by pgbtui")
		return
	}
	places := []string{systemd.SecretDir + "/age-identity"}
	if file := c.job.Encryption.IdentityFile; file != "" {
		places = append(places, file)
	}
	for _, place := range places {
		_, err := os.Stat(c.Root + place)
		switch {
		case err == nil:
			c.add(id, seen{
				result: Warn, tried: tried,
				seen:   place + " is on this host: whoever is root here reads every backup. Drills and restores by units need it",
				remedy: "Drill on another host (drill.by: hand here), and keep the key there and in a safe.",
			})
			return
		case !errors.Is(err, fs.ErrNotExist):
			c.unknown(id, tried, oneLine(err), "Run `sudo pgbtui doctor --only units.private-key`.")
			return
		}
	}
	c.ok(id, tried, "it is not on this host")
}
