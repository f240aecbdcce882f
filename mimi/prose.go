package mimi

import "strings"

// eachProse calls visit for the bytes of Markdown that are neither escaped
// nor code; visit says how many bytes it consumed. It reads every byte a
// bounded number of times.
func eachProse(md string, visit func(i int) int) {
	paragraph := 0         // where the current paragraph ends
	var runs map[int][]int // in it: where backtick runs of each length stand
	for i := 0; i < len(md); {
		if i == 0 || md[i-1] == '\n' {
			if n := fenceLen(md[i:]); n > 0 {
				i += n
				continue
			}
		}
		if i >= paragraph {
			paragraph = paragraphEnd(md, i)
			runs = backtickRuns(md[:paragraph], i)
		}
		switch md[i] {
		case '\\':
			i += 2
		case '`':
			i = afterCode(md, i, runs)
		default:
			i += visit(i)
		}
	}
}

// paragraphEnd is just after the next blank line: code spans do not cross it.
func paragraphEnd(md string, i int) int {
	if n := strings.Index(md[i:], "\n\n"); n >= 0 {
		return i + n + 2
	}
	return len(md)
}

func runLen(md string, i int, c byte) int {
	n := 0
	for i+n < len(md) && md[i+n] == c {
		n++
	}
	return n
}

func backtickRuns(md string, from int) map[int][]int {
	runs := map[int][]int{}
	for i := from; i < len(md); {
		n := runLen(md, i, '`')
		if n > 0 {
			runs[n] = append(runs[n], i)
		}
		i += max(n, 1)
	}
	return runs
}

// afterCode is the end of the code span that begins at i, or of the run of
// backticks when no run of the same length closes it (GFM section 6.3).
func afterCode(md string, i int, runs map[int][]int) int {
	n := runLen(md, i, '`')
	same := runs[n]
	for len(same) > 0 && same[0] <= i {
		same = same[1:]
	}
	runs[n] = same
	if len(same) == 0 {
		return i + n
	}
	return same[0] + n
}

// fenceLen is the length of the fenced code block that begins the text, to the
// end of the text if nothing closes it; 0 if none begins (GFM section 4.5).
func fenceLen(md string) int {
	c, n, ok := fence(md)
	if !ok {
		return 0
	}
	if first, _, _ := strings.Cut(md[n:], "\n"); c == '`' && strings.Contains(strings.TrimLeft(first, " `"), "`") {
		return 0 // backticks later in the line make it a code span
	}
	end := strings.IndexByte(md, '\n') + 1
	for end > 0 && end < len(md) {
		line, _, _ := strings.Cut(md[end:], "\n")
		next := min(end+len(line)+1, len(md))
		if d, m, ok := fence(line); ok && d == c && m >= n && strings.Trim(line, " \t"+string(c)) == "" {
			return next
		}
		end = next
	}
	return len(md)
}

// fence reads at most three spaces and three or more ` or ~; n counts those.
func fence(line string) (c byte, n int, ok bool) {
	indent := runLen(line, 0, ' ')
	if indent > 3 || indent >= len(line) {
		return 0, 0, false
	}
	c = line[indent]
	n = runLen(line, indent, c)
	return c, n, n >= 3 && (c == '`' || c == '~')
}
