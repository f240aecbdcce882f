package command

import (
	"strconv"
	"strings"
	"time"
)

// moment reads a time that a person typed: a date, a date and a time of day, both of this
// computer's time zone, or RFC 3339.
func moment(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, Usage("%s takes a date such as 2026-03-01, or a time such as \"2026-03-01 18:30\"", flag)
}

const day = 24 * time.Hour

// maxSpan keeps spans of time from running over.
const maxSpan = 100 * 365 * day

// span reads how long: 90s, 15m, 8h, 7d, 2w, and sums of them as Go writes them.
func span(text string) (time.Duration, error) {
	wrong := Usage("%q is no span of time: say for example 30m, 8h, 7d or 2w", text)
	for unit, long := range map[string]time.Duration{"d": day, "w": 7 * day} {
		n, err := strconv.ParseInt(strings.TrimSuffix(text, unit), 10, 32)
		if err != nil || !strings.HasSuffix(text, unit) {
			continue
		}
		if n <= 0 || time.Duration(n) > maxSpan/long {
			return 0, wrong
		}
		return time.Duration(n) * long, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxSpan {
		return 0, wrong
	}
	return d, nil
}

// spanText is a span as span reads it.
func spanText(d time.Duration) string {
	switch {
	case d == 0:
		return "off"
	case d%(7*day) == 0:
		return strconv.Itoa(int(d/(7*day))) + "w"
	case d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return d.String()
}

// date is a time for people, "" for none.
func date(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).Format("2006-01-02 15:04")
}
