// Package doctor examines how clusters of virtual machines are built, against the rules of the field. It owns
// the rules, each with its severity, its reason and its remedy, and the description that they are applied to.
//
// It promises: the same description gives the same answer; a rule whose facts are not known is named as not
// judged, and never as kept; every broken rule says where, why and what to do.
//
// It never changes anything, and what it finds out by itself it only reads.
package doctor
