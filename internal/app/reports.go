package app

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"sync"

	"sotto/internal/app/api"
)

// maxReports are kept of what pages were stopped from doing.
const maxReports = 50

// reports are violations of the content security policy, for the log and the tests.
type reports struct {
	mu    sync.Mutex
	list  []api.Violation
	count int
}

// takeReport takes what a browser tells of a violation: the older form of report-uri or
// the newer of the Reporting API. Anybody on this machine can write here, so that little
// is read and nothing believed.
func (a *App) takeReport(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<10))
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var list []api.Violation
	if err == nil {
		list = readReports(kind, b)
	}
	if list == nil {
		refuse(w, http.StatusBadRequest, api.Failure{Code: "malformed", Text: "this is no report"})
		return
	}
	a.reports.mu.Lock()
	defer a.reports.mu.Unlock()
	for _, v := range list {
		a.reports.count++
		if len(a.reports.list) < maxReports {
			a.reports.list = append(a.reports.list, v)
			a.log.Warn("a page was stopped", "directive", v.Directive, "blocked", v.Blocked, "page", v.Page)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func readReports(kind string, b []byte) (out []api.Violation) {
	switch kind {
	case "application/csp-report":
		var old struct {
			Report struct {
				Page      string `json:"document-uri"`
				Directive string `json:"effective-directive"`
				Violated  string `json:"violated-directive"`
				Blocked   string `json:"blocked-uri"`
				Sample    string `json:"script-sample"`
			} `json:"csp-report"`
		}
		if json.Unmarshal(b, &old) != nil {
			return nil
		}
		v := old.Report
		if v.Directive == "" {
			v.Directive = v.Violated
		}
		return []api.Violation{cut(api.Violation{Page: v.Page, Directive: v.Directive, Blocked: v.Blocked, Sample: v.Sample})}
	case "application/reports+json":
		var list []struct {
			Type string `json:"type"`
			Body struct {
				Page      string `json:"documentURL"`
				Directive string `json:"effectiveDirective"`
				Blocked   string `json:"blockedURL"`
				Sample    string `json:"sample"`
			} `json:"body"`
		}
		if json.Unmarshal(b, &list) != nil {
			return nil
		}
		out = []api.Violation{}
		for _, v := range list {
			if v.Type == "csp-violation" {
				out = append(out, cut(api.Violation{Page: v.Body.Page, Directive: v.Body.Directive, Blocked: v.Body.Blocked, Sample: v.Body.Sample}))
			}
		}
	}
	return out
}

// cut keeps a report short.
func cut(v api.Violation) api.Violation {
	for _, s := range []*string{&v.Page, &v.Directive, &v.Blocked, &v.Sample} {
		*s = (*s)[:min(len(*s), 300)]
	}
	return v
}

func (r *reports) all() []api.Violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]api.Violation{}, r.list...)
}
