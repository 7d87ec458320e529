// Package imports breaks the table of imports.
package imports

import (
	_ "strings"

	_ "github.com/cerco-ha/cerco/internal/scheduler" // want
)
