// Package lab is real etcd as a library, of whatever release the importing module pins, and the real
// Go client of that release:
//
//	serve [etcd's flags]                   an embedded server, until SIGTERM or its removal
//	drive --endpoints A,B,C [--rounds N]   everything the client can ask, through every member
package lab

import (
	"fmt"
	"os"
)

// Main runs the command line.
func Main() {
	if len(os.Args) < 2 {
		usage()
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2:])
	case "drive":
		err = drive(os.Args[2:])
	default:
		usage()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: serve [FLAGS] | drive --endpoints A,B,C [--rounds N]")
	os.Exit(2)
}
