module github.com/cerco-ha/cerco

go 1.26
