// Real etcd 3.5 as a library, and its client.
package main

import "truss/versions/lab"

func main() { lab.Main() }
