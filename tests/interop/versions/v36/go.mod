module truss/versions/v36

go 1.19

require (
	go.etcd.io/etcd/client/v3 v3.6.14
	go.etcd.io/etcd/server/v3 v3.6.14
	truss/versions/lab v0.0.0
)

replace truss/versions/lab => ../lab
