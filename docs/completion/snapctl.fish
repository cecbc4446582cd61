# fish completion of snapctl(1); made from the description of the commands.
complete -c snapctl -f
complete -c snapctl -n __fish_use_subcommand -a status -d 'show hash, revision, number of keys and size'
complete -c snapctl -n __fish_use_subcommand -a hashkv -d 'compute what a member serving this db would answer to HashKV'
complete -c snapctl -n __fish_use_subcommand -a verify -d 'prove that a restore from this file would work'
complete -c snapctl -n __fish_use_subcommand -a restore -d 'make a member\'s data directory from a snapshot'
complete -c snapctl -l output -s o -x -a 'text json table' -d 'form of the output'
complete -c snapctl -l no-progress -d 'show no progress on a terminal'
complete -c snapctl -n '__fish_seen_subcommand_from status' -l skip-hash-check -d 'don\'t compare with the SHA-256 behind the image'
complete -c snapctl -n '__fish_seen_subcommand_from status' -F
complete -c snapctl -n '__fish_seen_subcommand_from hashkv' -l rev -x -d 'as of this revision; 0: the newest'
complete -c snapctl -n '__fish_seen_subcommand_from hashkv' -l skip-hash-check -d 'don\'t compare with the SHA-256 behind the image'
complete -c snapctl -n '__fish_seen_subcommand_from hashkv' -F
complete -c snapctl -n '__fish_seen_subcommand_from verify' -l skip-hash-check -d 'don\'t compare with the SHA-256 behind the image'
complete -c snapctl -n '__fish_seen_subcommand_from verify' -F
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l data-dir -x -a '(__fish_complete_directories)' -d 'directory to make; NAME.etcd if not given'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l wal-dir -x -a '(__fish_complete_directories)' -d 'directory of the log, if apart'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l name -x -d 'this member\'s name'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l initial-cluster -x -d 'all members; NAME=http://localhost:2380 if not given'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l initial-cluster-token -x -d 'goes into the ids of members and cluster'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l initial-advertise-peer-urls -x -d 'this member\'s peer URLs, as --initial-cluster has them'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l skip-hash-check -d 'take a file without SHA-256, or with a wrong one'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l bump-revision -x -d 'raise the newest revision by N, so that no client meets a revision twice'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l mark-compacted -d 'count all up to the bumped revision as compacted'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l initial-memory-map-size -x -d 'taken for etcdutl\'s sake, of no effect'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -l dry-run -d 'check flags and directories, show the ids, make nothing'
complete -c snapctl -n '__fish_seen_subcommand_from restore' -F
complete -c snapctl -l help -s h -d 'show help'
