// Package objects keeps blobs in a store for objects that speaks S3: Amazon's own, MinIO, Ceph,
// Garage and others. A home server uses it instead of its disk when its configuration names one.
//
// What it stores is ciphertext under random names. It must never store anything else: the store
// may be somebody else's machine.
package objects

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Options name a store.
type Options struct {
	Endpoint  string // host, or host:port
	Bucket    string
	Prefix    string // of the objects' names
	Region    string
	AccessKey string
	SecretKey string
	Plain     bool // without TLS
	Transport http.RoundTripper
}

// partSize is how much of a blob is put, and held in memory, at a time.
const partSize = 16 << 20

// Store implements blobs.Far.
type Store struct {
	c              *minio.Client
	bucket, prefix string
}

// New makes a store. It asks nothing yet.
func New(o Options) (*Store, error) {
	c, err := minio.New(o.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: !o.Plain, Region: o.Region, Transport: o.Transport,
		BucketLookup: minio.BucketLookupAuto,
	})
	if err != nil {
		return nil, fmt.Errorf("objects: %w", err)
	}
	return &Store{c, o.Bucket, o.Prefix}, nil
}

// Check sees that the bucket is there and that it may be used.
func (s *Store) Check(ctx context.Context) error {
	ok, err := s.c.BucketExists(ctx, s.bucket)
	if err == nil && !ok {
		err = fmt.Errorf("there is no bucket %s", s.bucket)
	}
	return wrap(err)
}

func (s *Store) key(n [16]byte) string { return s.prefix + hex.EncodeToString(n[:]) }

// Put implements blobs.Far. What is large goes in parts, which become an object at once.
func (s *Store) Put(ctx context.Context, n [16]byte, size int64, r io.Reader) error {
	info, err := s.c.PutObject(ctx, s.bucket, s.key(n), r, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partSize, NumThreads: 1, DisableContentSha256: true,
	})
	if err == nil && info.Size != size {
		err = fmt.Errorf("%d of %d bytes were stored", info.Size, size)
	}
	return wrap(err)
}

// Open implements blobs.Far.
func (s *Store) Open(ctx context.Context, n [16]byte, from, size int64) (io.ReadCloser, error) {
	var o minio.GetObjectOptions
	if err := o.SetRange(from, size-1); err != nil {
		return nil, wrap(err)
	}
	core := minio.Core{Client: s.c}
	body, info, _, err := core.GetObject(ctx, s.bucket, s.key(n), o)
	if err != nil {
		return nil, wrap(err)
	}
	if info.Size != size-from {
		body.Close()
		return nil, fmt.Errorf("objects: %d bytes came for %d", info.Size, size-from)
	}
	return body, nil
}

// Remove implements blobs.Far.
func (s *Store) Remove(ctx context.Context, n [16]byte) error {
	err := wrap(s.c.RemoveObject(ctx, s.bucket, s.key(n), minio.RemoveObjectOptions{}))
	if missing(err) {
		return nil
	}
	return err
}

func missing(err error) bool { return minio.ToErrorResponse(unwrapped(err)).Code == minio.NoSuchKey }

// failure is an error of the store; one that says that there is no such object is fs.ErrNotExist.
type failure struct{ err error }

func (f *failure) Error() string { return "objects: " + f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

func (f *failure) Is(target error) bool { return target == fs.ErrNotExist && missing(f) }

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err}
}

func unwrapped(err error) error {
	if f, ok := err.(*failure); ok {
		return f.err
	}
	return err
}
