package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// serve runs an embedded server. The names of embed.Config's fields change between releases; the
// keys of a configuration file don't, and are the names of the flags.
func serve(args []string) error {
	config, err := configOf(args)
	if err != nil {
		return err
	}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-signals:
		server.Close()
		return nil
	case <-server.Server.StopNotify(): // it was removed
		server.Close()
		return nil
	case err = <-server.Err():
		return err
	}
}

func configOf(args []string) (*embed.Config, error) {
	values := map[string]any{}
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !joined {
			if i++; i == len(args) {
				return nil, fmt.Errorf("--%s: no value", name)
			}
			value = args[i]
		}
		values[name] = typed(name, value)
	}
	text, err := json.Marshal(values) // JSON is YAML
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "lab-*.yaml")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	if _, err = file.Write(text); err != nil {
		return nil, err
	}
	if err = file.Close(); err != nil {
		return nil, err
	}
	return embed.ConfigFromFile(file.Name())
}

func typed(name, value string) any {
	if name == "log-outputs" {
		return strings.Split(value, ",")
	}
	if number, err := strconv.ParseInt(value, 10, 64); err == nil && name != "auto-compaction-retention" {
		return number
	}
	if truth, err := strconv.ParseBool(value); err == nil {
		return truth
	}
	if length, err := time.ParseDuration(value); err == nil {
		return length.Nanoseconds()
	}
	return value
}
