// Command components writes down what a built pgbtui consists of: an SBOM for machines, and for
// people the licences of everything that is linked in, which go with the program.
//
// The list of modules is the one that the Go linker left in the program, not the one of go.mod:
// nothing is in it that is not in the program, nothing is missing. The same program gives the same
// two files.
package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	var o options
	flag.StringVar(&o.version, "version", "", "of the program")
	flag.StringVar(&o.sbom, "sbom", "", "`file` for the CycloneDX document")
	flag.StringVar(&o.licenses, "licenses", "", "`file` for the licences")
	flag.Parse()
	if flag.NArg() != 1 || o.version == "" || o.sbom == "" || o.licenses == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(context.Background(), flag.Arg(0), o); err != nil {
		fmt.Fprintln(os.Stderr, "components:", err)
		os.Exit(1)
	}
}

type options struct{ version, sbom, licenses string }

func write(ctx context.Context, program string, o options) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	epoch, err := sourceDate(os.Getenv)
	if err != nil {
		return err
	}
	bom, err := describe(program, info, o.version, epoch)
	if err != nil {
		return err
	}
	texts, err := licenses(ctx, info)
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.licenses, texts, 0o644); err != nil { //nolint:gosec // for everybody to read
		return err
	}
	file, err := os.Create(o.sbom)
	if err != nil {
		return err
	}
	// The newest version of the format is not read everywhere yet.
	err = cdx.NewBOMEncoder(file, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	return errors.Join(err, file.Close())
}
