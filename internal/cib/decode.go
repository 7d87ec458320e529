package cib

// Decode reads a CIB. It accepts everything that can be planned with, however odd (Check tells what is
// wrong with it); the error is about what is not XML, or not a CIB.
func Decode(file string, data []byte) (*CIB, error) { panic("to be written") }

// DecodeRoot is Decode of a document that is already parsed.
func DecodeRoot(file string, root *Element) (*CIB, error) { panic("to be written") }
