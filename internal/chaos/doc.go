// Package chaos lets real sotto processes talk over a bad network while they are killed,
// stopped, and their disks fill, and looks whether what sotto promises held.
//
// Each host is a machine in a network namespace of its own, with the kernel's own TCP. What
// lies between them is a fabric in this process, which delays, loses, doubles and reorders
// packets, goes dark, and cuts a connection at any byte. So it needs neither a bridge nor
// netem, nothing outside is touched, and nothing is left behind by a run that crashed: a
// namespace without processes goes by itself.
//
// A run is made of rounds. Each has a plan, drawn from the seed, of what people do and what
// befalls them; then everything is mended, and the round is judged: what commands had said
// (the ledger) against what every device shows and what lies on the servers' disks. The
// plan is the same for the same seed; real time is not.
//
// It runs on Linux only, in namespaces that Enter makes. docs/chaos.md says how to use it.
// Only its own tests use it, and it knows sotto as a person does, by commands and what they
// print, but for the server's database, in which it looks for what should be erased.
package chaos
