# bash completion of snapctl(1); made from the description of the commands.
_snapctl() {
  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}
  local path=snapctl i
  # `--option=value` comes as three words
  if [ "$word" = '=' ]; then word=; elif [ "$last" = '=' ]; then last=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
    'snapctl status') path='snapctl status' ;;
    'snapctl hashkv') path='snapctl hashkv' ;;
    'snapctl verify') path='snapctl verify' ;;
    'snapctl restore') path='snapctl restore' ;;
    esac
  done
  case "$last" in
  --output | -o) COMPREPLY=($(compgen -W 'text json table' -- "$word")); return ;;
  --rev) return ;;
  --data-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
  --wal-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
  --name) return ;;
  --initial-cluster) return ;;
  --initial-cluster-token) return ;;
  --initial-advertise-peer-urls) return ;;
  --bump-revision) return ;;
  --initial-memory-map-size) return ;;
  esac
  case "$path" in
  'snapctl') COMPREPLY=($(compgen -W 'status hashkv verify restore --output --no-progress --help' -- "$word")) ;;
  'snapctl status') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --skip-hash-check --help' -- "$word")) ;;
  'snapctl hashkv') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --rev --skip-hash-check --help' -- "$word")) ;;
  'snapctl verify') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --skip-hash-check --help' -- "$word")) ;;
  'snapctl restore') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --data-dir --wal-dir --name --initial-cluster --initial-cluster-token --initial-advertise-peer-urls --skip-hash-check --bump-revision --mark-compacted --initial-memory-map-size --dry-run --help' -- "$word")) ;;
  esac
}
complete -o filenames -F _snapctl snapctl
