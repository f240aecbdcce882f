// Package recovery makes what brings a person's account back when every device is lost: the
// 24 words that are written on paper, and the recovery record that only they open. The client
// uses it, on whichever device the person sits at.
//
// It must never keep the words: whoever makes or reads them erases them. It knows no network,
// no storage and no clock.
package recovery
