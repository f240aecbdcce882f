package mimi

import (
	"reflect"
	"testing"
)

func leafOf(contentType, content string) Part {
	return Part{Disposition: Render, Body: Single{contentType, []byte(content)}}
}

func multi(s Semantics, parts ...Part) Part {
	return Part{Disposition: Render, Body: Multi{s, parts}}
}

func with(d Disposition, p Part) Part { p.Disposition = d; return p }

var (
	html   = leafOf("text/html;charset=utf-8", "<b>html</b>")
	plain  = leafOf(PlainText, "plain")
	gfm    = leafOf(Markdown, "gfm")
	common = leafOf("text/markdown; variant=CommonMark", "common")
	vendor = leafOf("application/vnd.example", "x")
	photo  = leafOf("image/png", "x")
	film   = Part{Disposition: Render, Body: External{ContentType: "video/mp4"}}
	file   = Part{Disposition: Attachment, Body: External{ContentType: "application/zip"}}
)

func TestChoosing(t *testing.T) {
	for name, test := range map[string]struct {
		body   Part
		text   string
		leaves []int
		kind   Kind
	}{
		"plain":                          {plain, "plain", []int{0}, KindText},
		"text without parameters":        {leafOf("text/plain", "x"), "x", []int{0}, KindText},
		"upper case":                     {leafOf("Text/Markdown; Variant=gfm-mimi", "x"), "x", []int{0}, KindText},
		"HTML":                           {html, "", nil, KindOther},
		"HTML as a file":                 {with(Attachment, html), "", []int{0}, KindAttachment},
		"text as a file":                 {with(Attachment, plain), "", []int{0}, KindAttachment},
		"Latin-1":                        {leafOf("text/plain;charset=iso-8859-1", "x"), "", nil, KindOther},
		"not UTF-8":                      {leafOf(PlainText, "\xff"), "", nil, KindOther},
		"no media type":                  {leafOf("", "x"), "", nil, KindOther},
		"broken media type":              {leafOf("text/plain; =", "x"), "", nil, KindOther},
		"unknown disposition":            {with(200, plain), "plain", []int{0}, KindText},
		"profile":                        {with(Profile, plain), "", nil, KindOther},
		"best alternative":               {multi(ChooseOne, html, plain, common, gfm), "gfm", []int{4}, KindText},
		"HTML never wins":                {multi(ChooseOne, html, plain), "plain", []int{2}, KindText},
		"first among equals":             {multi(ChooseOne, leafOf(Markdown, "en"), leafOf(Markdown, "fr")), "en", []int{1}, KindText},
		"film before text":               {multi(ChooseOne, plain, film), "", []int{2}, KindAttachment},
		"text before a strange file":     {multi(ChooseOne, file, plain), "plain", []int{2}, KindText},
		"nothing to choose":              {multi(ChooseOne, html, vendor), "", nil, KindOther},
		"single unit":                    {multi(SingleUnit, gfm, photo), "gfm", []int{1, 2}, KindAttachment},
		"single unit lacks one":          {multi(SingleUnit, gfm, vendor), "", nil, KindOther},
		"process all that is known":      {multi(ProcessAll, vendor, gfm, file), "gfm", []int{2, 3}, KindAttachment},
		"unit lacks one, then the other": {multi(ChooseOne, multi(SingleUnit, gfm, html), plain), "plain", []int{4}, KindText},
		"session inside":                 {multi(ProcessAll, with(Session, film), plain), "plain", []int{2}, KindText},
		"aside as a whole":               {with(Icon, multi(ProcessAll, photo, plain)), "", nil, KindOther},
		"preview is no text":             {multi(ProcessAll, with(Preview, plain), gfm), "gfm", []int{1, 2}, KindText},
		"null inside":                    {multi(ProcessAll, Part{Body: Null{}}, plain), "plain", []int{2}, KindText},
		"null without replaces":          {Part{Disposition: Reaction, Body: Null{}}, "", nil, KindOther},
		"picture as a reaction":          {with(Reaction, film), "", []int{0}, KindReaction},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Content{Body: test.body}
			text, ok := c.Text()
			if text.Content != test.text || ok != (test.text != "") {
				t.Errorf("text = %+v", text)
			}
			var leaves []int
			for _, l := range c.Leaves() {
				leaves = append(leaves, l.Index)
			}
			if !reflect.DeepEqual(leaves, test.leaves) {
				t.Errorf("leaves = %v, want %v", leaves, test.leaves)
			}
			if k := c.Kind(); k != test.kind {
				t.Errorf("kind = %v, want %v", k, test.kind)
			}
		})
	}
}

func TestKindNames(t *testing.T) {
	if KindStatus.String() != "status" || Kind(99).String() != "unknown" || Kind(-1).String() != "unknown" {
		t.Error("names")
	}
}
