// Package membership knows who is up, whether those who are have quorum, and what a partition does that has
// no leader.
//
// It owns heartbeats, leases, the counting of votes, and the way from a lost majority back to a cluster. While
// there is a leader, every node sends its heartbeat to it and gets an answer, which renews the node's lease;
// while there is none, everybody sends to everybody. Heartbeats stay out of the log.
//
// It promises:
//   - A node stops acting before it is given up. Its lease counts from when it sent what was answered, and is
//     shorter than the token, which counts from when the other side received it.
//   - Nobody is given up because we slept. Silence counts only while this process was there to listen: time in
//     which it did not run is no silence of others.
//   - A daemon that restarts is not a node that died. What ran on a host has ended when its boot id is another
//     one, or when it was fenced, and not before.
//   - A log is never given up for a new one without a proof for each voter of the old one that is not heard: an
//     agent's, an operator's, never a time that has passed.
//
// It never writes the state, runs no agent and decides nothing about resources: it says what it sees, and what
// should be done, to those who do it.
package membership
