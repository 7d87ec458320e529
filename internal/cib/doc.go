// Package cib is the vocabulary of the cluster and its state: the model of Pacemaker's cluster
// information base and the XML codec that keeps what it does not know.
//
// It owns reading, checking, changing and writing a CIB. It promises that what it does not understand
// survives, that nothing a reader holds ever changes under it, and that bad input gets every error at
// once, each with file, line, id and what to do. It never reads a clock, never logs, never does IO.
package cib
