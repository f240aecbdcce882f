// Package sim runs whole populations of real clients and real servers in one process, on
// virtual time, through faults and attacks, and checks what sotto promises.
//
// Only the network, the disks, the clock and the randomness are simulated. Everything
// that happens is drawn from one seed and runs on one goroutine at a time, so that a plan
// that fails does so again, byte for byte (World.Trace), and can be made shorter (Shrink).
//
// A World holds hosts (servers), people with their devices (clients) and the lines between them. A Plan is
// a list of steps: what people do and what befalls them. After its last step the world is
// calmed: everything that is broken is mended, and time goes on until nothing is under
// way. Then every promise is checked (check.go); some are checked all the time (watch.go).
package sim
