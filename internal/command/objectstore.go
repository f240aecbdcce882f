package command

import (
	"context"
	"os"
	"strings"

	"sotto/internal/server/blobs"
	"sotto/internal/server/config"
	"sotto/internal/server/objects"
)

// objectStore opens the store for objects that a configuration names; nil if it names none.
func objectStore(ctx context.Context, c config.Objects) (blobs.Far, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	b, err := os.ReadFile(c.SecretKeyFile)
	if err != nil {
		return nil, fail("bad configuration", "secret-key-file: %s", bare(err))
	}
	secret, _, _ := strings.Cut(string(b), "\n")
	s, err := objects.New(objects.Options{
		Endpoint: c.Endpoint, Bucket: c.Bucket, Prefix: c.Prefix, Region: c.Region, AccessKey: c.AccessKey, SecretKey: strings.TrimSpace(secret), Plain: c.Plain,
	})
	if err == nil {
		err = s.Check(ctx)
	}
	if err != nil {
		return nil, fail("server", "the store for objects at %s cannot be used: %s", c.Endpoint, err)
	}
	return s, nil
}
