package s3server

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Op is an S3 operation by its name in the API reference.
type Op string

// The operations.
const (
	OpUnknown              Op = "Unknown"
	OpCreateBucket         Op = "CreateBucket"
	OpHeadBucket           Op = "HeadBucket"
	OpGetBucketVersioning  Op = "GetBucketVersioning"
	OpPutBucketVersioning  Op = "PutBucketVersioning"
	OpGetObjectLock        Op = "GetObjectLockConfiguration"
	OpPutObjectLock        Op = "PutObjectLockConfiguration"
	OpGetLifecycle         Op = "GetBucketLifecycleConfiguration"
	OpPutLifecycle         Op = "PutBucketLifecycleConfiguration"
	OpGetEncryption        Op = "GetBucketEncryption"
	OpPutEncryption        Op = "PutBucketEncryption"
	OpGetPublicAccess      Op = "GetPublicAccessBlock"
	OpPutPublicAccess      Op = "PutPublicAccessBlock"
	OpGetPolicy            Op = "GetBucketPolicy"
	OpPutPolicy            Op = "PutBucketPolicy"
	OpListObjectVersions   Op = "ListObjectVersions"
	OpGetObjectRetention   Op = "GetObjectRetention"
	OpPutObjectRetention   Op = "PutObjectRetention"
	OpGetObjectLegalHold   Op = "GetObjectLegalHold"
	OpPutObjectLegalHold   Op = "PutObjectLegalHold"
	OpListObjects          Op = "ListObjects"
	OpListObjectsV2        Op = "ListObjectsV2"
	OpListMultipartUploads Op = "ListMultipartUploads"
	OpDeleteObjects        Op = "DeleteObjects"
	OpPutObject            Op = "PutObject"
	OpCopyObject           Op = "CopyObject"
	OpGetObject            Op = "GetObject"
	OpHeadObject           Op = "HeadObject"
	OpDeleteObject         Op = "DeleteObject"
	OpRestoreObject        Op = "RestoreObject"
	OpCreateMultipart      Op = "CreateMultipartUpload"
	OpUploadPart           Op = "UploadPart"
	OpCompleteMultipart    Op = "CompleteMultipartUpload"
	OpAbortMultipart       Op = "AbortMultipartUpload"
	OpListParts            Op = "ListParts"
)

// call is one request on its way through the server.
type call struct {
	s           *Server
	w           http.ResponseWriter
	r           *http.Request
	id          string
	op          Op
	bucket, key string
	query       url.Values
	routeErr    error
	auth        authorized
	accessKey   string  // the caller's, once it is authenticated
	policy      *Policy // the caller's
}

const maxKeyBytes = 1024

// newCall finds bucket, key and operation. The path is taken as sent: cleaning it would
// turn the key "a/../b" into another.
func newCall(s *Server, w http.ResponseWriter, r *http.Request) *call {
	c := &call{s: s, w: w, r: r, id: strings.ToUpper(randomHex(8)), op: OpUnknown}
	raw, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	var err error
	if c.query, err = url.ParseQuery(rawQuery); err != nil {
		c.routeErr = invalidArgument("the query cannot be read: %v", err)
	}
	path, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(path) || !strings.HasPrefix(path, "/") {
		c.routeErr = apiErr(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
		return c
	}
	path = path[1:]
	if host := hostBucket(r.Host, s.opt.Domain); host != "" {
		c.bucket, c.key = host, path
	} else {
		c.bucket, c.key, _ = strings.Cut(path, "/")
	}
	if len(c.key) > maxKeyBytes {
		c.routeErr = apiErr(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	c.op = c.operation()
	return c
}

// hostBucket is the bucket in a virtual-host style Host header, or "".
func hostBucket(host, domain string) string {
	if domain == "" {
		return ""
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	bucket, found := strings.CutSuffix(host, "."+domain)
	if !found {
		return ""
	}
	return bucket
}

func (c *call) operation() Op {
	switch {
	case c.bucket == "":
		return OpUnknown
	case c.key == "":
		return c.bucketOperation()
	}
	return c.objectOperation()
}

func (c *call) bucketOperation() Op {
	q := c.query
	switch {
	case c.r.Method == http.MethodPost && q.Has("delete"):
		return OpDeleteObjects
	case c.r.Method == http.MethodGet && q.Has("uploads"):
		return OpListMultipartUploads
	case c.r.Method == http.MethodGet && q.Has("versions"):
		return OpListObjectVersions
	case c.setting() != "":
		return settingOperation(c.r.Method, c.setting())
	case c.hasSubresource():
		return OpUnknown
	case c.r.Method == http.MethodGet && q.Get("list-type") == "2":
		return OpListObjectsV2
	}
	return pick(c.r.Method, map[string]Op{
		http.MethodPut: OpCreateBucket, http.MethodHead: OpHeadBucket, http.MethodGet: OpListObjects,
	})
}

func (c *call) objectOperation() Op {
	q := c.query
	switch {
	case q.Has("uploadId") && c.r.Method == http.MethodPut && q.Has("partNumber"):
		return OpUploadPart
	case q.Has("uploadId"):
		return pick(c.r.Method, map[string]Op{
			http.MethodPost: OpCompleteMultipart, http.MethodDelete: OpAbortMultipart, http.MethodGet: OpListParts,
		})
	case q.Has("uploads") && c.r.Method == http.MethodPost:
		return OpCreateMultipart
	case q.Has("restore") && c.r.Method == http.MethodPost:
		return OpRestoreObject
	case q.Has("retention"):
		return pick(c.r.Method, map[string]Op{http.MethodGet: OpGetObjectRetention, http.MethodPut: OpPutObjectRetention})
	case q.Has("legal-hold"):
		return pick(c.r.Method, map[string]Op{http.MethodGet: OpGetObjectLegalHold, http.MethodPut: OpPutObjectLegalHold})
	case q.Has("versionId") && c.r.Method == http.MethodPut:
		return OpUnknown
	case c.hasSubresource():
		return OpUnknown
	case c.r.Method == http.MethodPut && c.r.Header.Get("X-Amz-Copy-Source") != "":
		return OpCopyObject
	}
	return pick(c.r.Method, map[string]Op{
		http.MethodPut: OpPutObject, http.MethodGet: OpGetObject,
		http.MethodHead: OpHeadObject, http.MethodDelete: OpDeleteObject,
	})
}

// hasSubresource reports a subresource that is not built: ignoring it would do another operation.
func (c *call) hasSubresource() bool {
	for _, name := range []string{
		"acl", "attributes", "cors", "encryption", "legal-hold", "lifecycle", "location", "logging", "notification", "object-lock",
		"policy", "publicAccessBlock", "replication", "retention", "select", "tagging", "torrent", "uploadId", "uploads",
		"versioning", "versions", "website", "restore", "delete", "partNumber",
	} {
		if c.query.Has(name) {
			return true
		}
	}
	return false
}

func pick(name string, ops map[string]Op) Op {
	if op, ok := ops[name]; ok {
		return op
	}
	return OpUnknown
}

// dispatch runs the operation.
func (s *Server) dispatch(c *call) error {
	if owner := c.r.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != s.opt.Owner && !s.opt.AnyOwner {
		return accessDenied("Access Denied")
	}
	if b, err := s.store.bucket(c.bucket); err == nil {
		if err := b.tidy(s.now().Add(s.opt.RulesAhead())); err != nil {
			return err
		}
	}
	run, ok := s.run[c.op]
	if !ok {
		return notImplemented(c.r.Method + " " + c.r.URL.RawQuery)
	}
	return run(c)
}

func (s *Server) handlers() map[Op]func(*call) error {
	return map[Op]func(*call) error{
		OpCreateBucket: s.createBucket, OpHeadBucket: s.headBucket,
		OpGetBucketVersioning: s.getVersioning, OpPutBucketVersioning: s.putVersioning,
		OpGetObjectLock: s.getObjectLock, OpPutObjectLock: s.putObjectLock,
		OpGetLifecycle: s.getLifecycle, OpPutLifecycle: s.putLifecycle,
		OpGetEncryption: s.getEncryption, OpPutEncryption: s.putEncryption,
		OpGetPublicAccess: s.getPublicAccess, OpPutPublicAccess: s.putPublicAccess,
		OpGetPolicy: s.getPolicy, OpPutPolicy: s.putPolicy,
		OpListObjects: s.listObjects, OpListObjectsV2: s.listObjects, OpListObjectVersions: s.listVersions,
		OpListMultipartUploads: s.listUploads, OpDeleteObjects: s.deleteObjects,
		OpPutObject: s.putObject, OpCopyObject: s.copyObject, OpGetObject: s.getObject, OpHeadObject: s.getObject,
		OpDeleteObject: s.deleteObject, OpRestoreObject: s.restoreObject,
		OpGetObjectRetention: s.getLock, OpPutObjectRetention: s.putLock,
		OpGetObjectLegalHold: s.getLock, OpPutObjectLegalHold: s.putLock,
		OpCreateMultipart: s.createUpload, OpUploadPart: s.uploadPart, OpCompleteMultipart: s.completeUpload,
		OpAbortMultipart: s.abortUpload, OpListParts: s.listParts,
	}
}
