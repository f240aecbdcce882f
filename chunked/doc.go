// Package chunked is C2SP chunked-encryption (https://c2sp.org/chunked-encryption) in its
// recommended form Cobblestone-128: HKDF-Expand with SHA-512 and AES-128-GCM over chunks of
// 16 KiB. A file is sealed as a stream or at any place, opened as a stream or at any place,
// and nothing of a chunk is handed out before all of it was verified. Chunks that were
// flipped, cut, swapped, reordered or taken from another file do not open; a wrong key, salt
// or context is noticed before the first of them (the scheme commits to the key).
//
// Padded says to how many bytes a file is padded before that, by Padmé, so that its length
// tells little.
//
// It knows no storage, no network and no clock. Nobody but the holder of a Key may see it:
// callers erase what they no longer need.
package chunked
