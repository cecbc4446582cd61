module truss/versions/v37

go 1.19

require (
	go.etcd.io/etcd/client/v3 v3.7.1
	go.etcd.io/etcd/server/v3 v3.7.1
	truss/versions/lab v0.0.0
)

replace truss/versions/lab => ../lab
