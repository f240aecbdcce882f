// Package netlab is a laboratory for calls: real processes in network namespaces, behind real
// NATs of the kernel (nftables), on links that lose, delay and narrow. A home server stands
// on the open network. Its tests need Linux, the right to make namespaces, and the programs
// ip and nft; without them they fail.
//
// What has to be direct follows from RFC 4787: see direct.
package netlab
