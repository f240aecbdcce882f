// Package handover lets several processes of one person share a home directory that only
// one of them can hold: the holder listens on a unix socket, and another process hands it
// its arguments and its standard input, and passes on what the command prints and how it
// ended. internal/command uses it. It knows nothing of what the arguments mean.
//
// The socket is for the same user only: its mode is 0600 in a directory of mode 0700, and
// on Linux both ends ask the kernel whose process the other is.
//
// What crosses it, in the order of a conversation: the holder's hello, the guest's
// request; then input whenever the holder wants some, output as it comes, and one exit.
// A frame is its kind (one byte), its length (four, big-endian) and that many bytes.
// Whatever breaks a rule ends the connection.
package handover
