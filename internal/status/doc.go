// Package status turns a view of the cluster into what people and programs read: the text, XML and
// JSON that crm_simulate and crm_mon print.
//
// It owns the words and their layout. It promises that the same view gives the same bytes, and that it
// shows what the view says and decides nothing. It never looks at a CIB, a clock or a terminal.
package status
