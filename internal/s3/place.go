package s3

import (
	"net"
	"net/url"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// checkPlace refuses an endpoint that is not a plain URL or that would send backups in the clear,
// and a missing region. It also decides whether payloads may stay unsigned: over TLS, or on
// loopback, nobody can change them on the way, and the checksum header is signed anyway. Signing
// costs as much CPU as the transfer itself.
func (b *Bucket) checkPlace() error {
	if b.region == "" {
		return fault.New(fault.Config, "s3: no region is configured",
			"Set s3.region or AWS_REGION to the bucket's region.", nil)
	}
	if b.endpoint == "" {
		b.unsigned = true
		return nil
	}
	u, err := url.Parse(b.endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fault.New(fault.Config, "s3: the endpoint is not a URL",
			"Set s3.endpoint or AWS_ENDPOINT_URL to a URL such as https://s3.example.com.", nil)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fault.New(fault.Config, "s3: the endpoint URL carries more than a host and a path",
			"Remove credentials and query from the endpoint URL.", nil)
	}
	local := loopback(u.Hostname())
	if u.Scheme == "http" && !local && !b.opts.AllowPlainHTTP {
		return fault.New(fault.Config, "s3: the endpoint "+visible(u.Host)+" is plain http",
			"Use https, or set allow_plain_http if you trust everything on the way.", nil)
	}
	b.unsigned = u.Scheme == "https" || local
	return nil
}

// loopback reports whether host is this machine by its literal name; a DNS name that happens to
// resolve to 127.0.0.1 is not, since DNS can change its mind.
func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
