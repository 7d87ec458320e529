// Package peer is the one port over which the nodes of a cluster talk: calls with answers, messages that
// are sent and forgotten, streams for raft and HTTP, and the joining of new nodes.
//
// It owns who may speak. Every connection is TLS 1.3 with certificates on both sides, and the key behind each
// certificate must be the one that the cluster's members agreed on, or have the word of that one for its own: so
// nodes exchange their keys (Renew). The certificate authority that the cluster made for itself counts where no
// members are known yet. Whoever has no such key fails in the handshake and gets no byte of ours;
// whoever holds an unused invitation gets to the service "join" and to nothing else. A member that leaves
// the list is cut off at once, in the middle of whatever it was doing.
//
// A pair of nodes has a link a ring: ring 0 joins their first addresses, ring 1 their second, and so on. A
// call goes over the best link that works; a message goes over all of them. A link that falls silent is
// noticed within half a second, sooner when another ring still hears the node.
//
// It promises: Send never blocks, and of messages of one service that wait for a slow link only the newest
// is kept. A call runs at most once in the life of the process that answers it, however often it had to be
// sent again. ErrUnreachable means that it surely did not run; ErrUnknownOutcome that it may have. Messages
// have a maximal size, and what waits to be sent or handled is bounded.
//
// It never trusts the clock of either side: certificates do not expire, members are removed instead. It
// never decides who is alive; that is what membership makes of the messages.
package peer
