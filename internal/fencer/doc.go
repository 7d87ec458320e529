// Package fencer cuts nodes off, and keeps the proof. It owns the fence devices of the CIB (stonith-class
// primitives), the topology of their levels, the calls of fence agents and what is waited for meanwhile.
//
// It promises: a fencing succeeds only with evidence (cib.Evidence), and every one that fails says what
// happened, on which device, from which node, and which command releases the situation; secrets go to
// agents by standard input alone, and are taken out of everything that agents say; an agent that is late
// is killed with all its children; requests for the same node are merged.
//
// It never decides who is fenced, never writes the state (its records are handed to whoever does), and never
// takes a time-out, an unreadable answer or broken metadata for a success. The contract of agents is that
// of Pacemaker's fencer: Fence Agent API, and "Pacemaker Explained", chapter Fencing.
package fencer
