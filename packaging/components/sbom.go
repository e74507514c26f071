package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// describe is the SBOM of a program with that build info. Its serial number comes from the program's
// bytes, its time from the source.
func describe(program string, info *debug.BuildInfo, version string, epoch time.Time) (*cdx.BOM, error) {
	sum, err := sha256File(program)
	if err != nil {
		return nil, err
	}
	self := component(&debug.Module{Path: info.Main.Path, Version: "v" + version})
	self.Type = cdx.ComponentTypeApplication
	self.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}

	// The standard library is linked in like every module, and has its own vulnerabilities.
	parts := []cdx.Component{component(&debug.Module{Path: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go")})}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, component(m))
	}
	var refs []string
	links := []cdx.Dependency{{Ref: self.BOMRef, Dependencies: &refs}}
	assemblies := []cdx.BOMReference{cdx.BOMReference(self.BOMRef)}
	for _, c := range parts {
		refs = append(refs, c.BOMRef)
		links = append(links, cdx.Dependency{Ref: c.BOMRef})
	}

	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + uuidOf(sum)
	bom.Metadata = &cdx.Metadata{
		Timestamp: epoch.UTC().Format(time.RFC3339), Component: &self,
		Authors: &[]cdx.OrganizationalContact{{Name: "The pgbtui authors"}},
	}
	bom.Components = &parts
	bom.Dependencies = &links
	bom.Compositions = &[]cdx.Composition{{Aggregate: cdx.CompositionAggregateComplete, Assemblies: &assemblies}}
	return bom, nil
}

// component is a module by its package URL, with the sum that go.sum has of it.
func component(m *debug.Module) cdx.Component {
	url := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	c := cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url}
	if m.Sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go.sum", Value: m.Sum}}
	}
	return c
}

func sha256File(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// uuidOf is a UUID of RFC 9562's version 8, whose bits are the maker's own: here a hash's.
func uuidOf(sum []byte) string {
	u := [16]byte(sum)
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// sourceDate is the time of the source, https://reproducible-builds.org/specs/source-date-epoch.
func sourceDate(getenv func(string) string) (time.Time, error) {
	seconds, err := strconv.ParseInt(getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0), nil
}
