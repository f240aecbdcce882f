package objects

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testBucket = "sotto"
	testAccess = "AKIDEXAMPLE"
	testSecret = "a secret of the store"
	testRegion = "eu-test-1"
)

// s3 is a small store: it checks signatures (AWS Signature Version 4), and knows objects, ranges and
// multipart uploads. It is for these tests alone.
type s3 struct {
	t *testing.T
	*httptest.Server

	mu      sync.Mutex
	objects map[string][]byte
	uploads map[string]map[int][]byte
	last    int
	fail    func(r *http.Request) int // a status to answer with; 0: none
	asked   []string
}

func newS3(t *testing.T) *s3 {
	s := &s3{t: t, objects: map[string][]byte{}, uploads: map[string]map[int][]byte{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Server.Close)
	return s
}

func (s *s3) store(t *testing.T, secret string) *Store {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	st, err := New(Options{Endpoint: strings.TrimPrefix(s.URL, "http://"), Bucket: testBucket, Prefix: "b/", Region: testRegion, AccessKey: testAccess, SecretKey: secret, Plain: true, Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signed checks the signature of a request, as the documentation of Signature Version 4 has it.
func signed(r *http.Request) bool {
	fields := map[string]string{}
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return false
	}
	for f := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(f), "=")
		fields[k] = v
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		return false
	}
	scope := date[:8] + "/" + testRegion + "/s3/aws4_request"
	if fields["Credential"] != testAccess+"/"+scope {
		return false
	}
	var headers strings.Builder
	for name := range strings.SplitSeq(fields["SignedHeaders"], ";") {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		if name == "content-length" {
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"), headers.String(), fields["SignedHeaders"], r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	key := mac(mac(mac(mac([]byte("AWS4"+testSecret), date[:8]), testRegion), "s3"), "aws4_request")
	want := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	return hmac.Equal([]byte(want), []byte(fields["Signature"]))
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	if s.fail != nil {
		if status := s.fail(r); status != 0 {
			refuse(w, status, "AccessDenied")
			return
		}
	}
	if err != nil {
		return // the line broke: nothing of it counts
	}
	if !signed(r) {
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch")
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != testBucket {
		refuse(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	if key == "" {
		w.WriteHeader(http.StatusOK)
		return
	}
	s.object(w, r, key, r.URL.Query(), body)
}

// object does what is asked of an object.
func (s *s3) object(w http.ResponseWriter, r *http.Request, key string, q url.Values, body []byte) {
	tag := func(b []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(b)) }
	switch {
	case r.Method == "POST" && q.Has("uploads"):
		s.last++
		id := strconv.Itoa(s.last)
		s.uploads[id] = map[int][]byte{}
		fmt.Fprintf(w, "<InitiateMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId></InitiateMultipartUploadResult>", testBucket, key, id)
	case r.Method == "PUT" && q.Has("uploadId"):
		n, err := strconv.Atoi(q.Get("partNumber"))
		parts := s.uploads[q.Get("uploadId")]
		if err != nil || parts == nil {
			refuse(w, http.StatusNotFound, "NoSuchUpload")
			return
		}
		parts[n] = body
		w.Header().Set("ETag", tag(body))
	case r.Method == "POST" && q.Has("uploadId"):
		s.complete(w, key, q.Get("uploadId"), body)
	case r.Method == "DELETE" && q.Has("uploadId"):
		delete(s.uploads, q.Get("uploadId"))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == "PUT":
		s.objects[key] = body
		w.Header().Set("ETag", tag(body))
	case r.Method == "DELETE":
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == "GET" || r.Method == "HEAD":
		b, ok := s.objects[key]
		if !ok {
			refuse(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("ETag", tag(b))
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(b))
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
	}
}

// complete makes an object of the parts that a list names.
func (s *s3) complete(w http.ResponseWriter, key, id string, body []byte) {
	var list struct {
		Part []struct{ PartNumber int }
	}
	if err := xml.Unmarshal(body, &list); err != nil || len(list.Part) == 0 {
		refuse(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	var whole []byte
	if !slices.IsSortedFunc(list.Part, func(a, b struct{ PartNumber int }) int { return a.PartNumber - b.PartNumber }) {
		refuse(w, http.StatusBadRequest, "InvalidPartOrder")
		return
	}
	for i, p := range list.Part {
		part, ok := s.uploads[id][p.PartNumber]
		if !ok || len(part) < 5<<20 && i < len(list.Part)-1 {
			refuse(w, http.StatusBadRequest, "InvalidPart")
			return
		}
		whole = append(whole, part...)
	}
	delete(s.uploads, id)
	s.objects[key] = whole
	fmt.Fprintf(w, `<CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><ETag>"x"</ETag></CompleteMultipartUploadResult>`, testBucket, key)
}

func (s *s3) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.objects)
}

func (s *s3) failing(f func(r *http.Request) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}
