package alert

import (
	"fmt"
	"strings"
	"time"
)

// layouts are the conversions of date(1) that a layout of package time stands for.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2",
	'F': "2006-01-02", 'h': "Jan", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'p': "PM", 'r': "03:04:05 PM", 'R': "15:04",
	'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

// Strftime writes a time in a format of date(1), with the digits of fractions of a second that "%6N" or "%06N" ask for. What is not
// known stays as it is.
func Strftime(format string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		k := i + 1
		digits := 0
		for k < len(format) && format[k] >= '0' && format[k] <= '9' {
			digits = min(digits*10+int(format[k]-'0'), 9)
			k++
		}
		if k == len(format) {
			b.WriteString(format[i:])
			break
		}
		switch c := format[k]; {
		case c == 'N':
			if digits == 0 {
				digits = 9
			}
			b.WriteString(fmt.Sprintf("%09d", t.Nanosecond())[:digits])
		case c == 's':
			fmt.Fprint(&b, t.Unix())
		case c == '%', c == 'n', c == 't':
			b.WriteString(map[byte]string{'%': "%", 'n': "\n", 't': "\t"}[c])
		case layouts[c] != "":
			b.WriteString(t.Format(layouts[c]))
		default:
			b.WriteString(format[i : k+1])
		}
		i = k
	}
	return b.String()
}
