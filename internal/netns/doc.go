// Package netns lets tests run where they may make networks and mount disks that nobody else
// sees. It is used by tests that start real processes on networks of their own.
package netns
