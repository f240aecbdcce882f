package main

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

// greet plays the greeting, once for a call. Each page of the file is a packet of Opus, as
// programs write it that are told to (ffmpeg -page_duration 20000).
func (t *talk) greet(voice *webrtc.TrackLocalStaticSample) {
	if t.m.greeting == "" {
		return
	}
	t.greeted.Do(func() {
		go func() {
			if err := t.play(voice); err != nil && !errors.Is(err, io.EOF) {
				t.m.log("the greeting: %s", err)
			}
		}()
	})
}

func (t *talk) play(voice *webrtc.TrackLocalStaticSample) error {
	f, err := os.Open(t.m.greeting)
	if err != nil {
		return err
	}
	defer f.Close()
	pages, _, err := oggreader.NewWith(f)
	if err != nil {
		return err
	}
	began, last := time.Now(), uint64(0)
	for {
		packet, head, err := pages.ParseNextPage()
		if err != nil {
			return err
		}
		if kind, ok := head.HeaderType(packet); ok && kind == oggreader.HeaderOpusTags {
			continue
		}
		lasts := time.Duration(head.GranulePosition-last) * time.Second / 48000
		time.Sleep(time.Until(began.Add(time.Duration(last) * time.Second / 48000)))
		last = head.GranulePosition
		if err := voice.WriteSample(media.Sample{Data: packet, Duration: lasts}); err != nil {
			return err
		}
	}
}
