// Command show opens the console over the made-up world, to look at frames. It is part of no
// binary that ships: go run ./internal/ui/uitest/show [-ascii] [-mono] [-readonly] [-fail] [-panic].
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

func main() {
	ascii, mono := flag.Bool("ascii", false, "ASCII twins"), flag.Bool("mono", false, "no colour")
	readOnly, fail := flag.Bool("readonly", false, "no write methods"), flag.Bool("fail", false,
		"the bucket cannot be reached")
	crash, steps := flag.Bool("panic", false, "panic when the bucket is read"), flag.Bool("steps", true,
		"let live runs go on")
	version := flag.Bool("version", false, "print a line and leave")
	running := flag.Bool("running", false, "start with a run going")
	flag.Parse()
	if *version {
		fmt.Println("show")
		return
	}
	w := uitest.New()
	o := w.Options()
	o.Look = ui.Look{ASCII: *ascii, NoColor: *mono}
	if *readOnly {
		o.Write = ui.Write{Denied: "read-only by configuration"}
	}
	if *fail {
		w.Fail["sets"] = uitest.ErrBucket
	}
	if *crash {
		o.Sources.Catalogue = uitest.Panics{World: w}
	}
	if *running {
		if _, err := w.Start(context.Background(), ui.Service{
			Unit: o.Jobs[2].Unit, What: "back up", Target: o.Jobs[2].Name,
		}); err != nil {
			panic(err)
		}
	}
	if *steps {
		go func() {
			for range time.Tick(700 * time.Millisecond) {
				w.Step()
			}
		}()
	}
	err := ui.Run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(int(fault.CodeOf(err)))
}
