# bash completion of snapctl(1); made from the description of the commands.
_snapctl() {
  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}
  local path=snapctl i
  # `--option=value` comes as three words
  if [ "$word" = '=' ]; then word=; elif [ "$last" = '=' ]; then last=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
    'snapctl save') path='snapctl save' ;;
    'snapctl cut') path='snapctl cut' ;;
    'snapctl status') path='snapctl status' ;;
    'snapctl hashkv') path='snapctl hashkv' ;;
    'snapctl verify') path='snapctl verify' ;;
    'snapctl restore') path='snapctl restore' ;;
    'snapctl diff') path='snapctl diff' ;;
    'snapctl extract') path='snapctl extract' ;;
    'snapctl undelete') path='snapctl undelete' ;;
    esac
  done
  case "$last" in
  --output | -o) COMPREPLY=($(compgen -W 'text json table' -- "$word")); return ;;
  --endpoints) return ;;
  --retries) return ;;
  --user) return ;;
  --timeout) return ;;
  --rev) return ;;
  --data-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
  --wal-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
  --name) return ;;
  --initial-cluster) return ;;
  --initial-cluster-token) return ;;
  --initial-advertise-peer-urls) return ;;
  --bump-revision) return ;;
  --initial-memory-map-size) return ;;
  --prefix) return ;;
  --key) return ;;
  --rev-a) return ;;
  --rev-b) return ;;
  --from) COMPREPLY=($(compgen -f -- "$word")); return ;;
  --to) return ;;
  --if-changed) COMPREPLY=($(compgen -W 'refuse skip overwrite' -- "$word")); return ;;
  esac
  case "$path" in
  'snapctl') COMPREPLY=($(compgen -W 'save cut status hashkv verify restore diff extract undelete --output --no-progress --help' -- "$word")) ;;
  'snapctl save') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --endpoints --retries --user --timeout --help' -- "$word")) ;;
  'snapctl cut') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --in-use --help' -- "$word")) ;;
  'snapctl status') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --check-hash --skip-hash-check --help' -- "$word")) ;;
  'snapctl hashkv') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --rev --skip-hash-check --help' -- "$word")) ;;
  'snapctl verify') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --skip-hash-check --help' -- "$word")) ;;
  'snapctl restore') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --data-dir --wal-dir --name --initial-cluster --initial-cluster-token --initial-advertise-peer-urls --skip-hash-check --bump-revision --mark-compacted --initial-memory-map-size --dry-run --help' -- "$word")) ;;
  'snapctl diff') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --prefix --key --rev-a --rev-b --touched --values --skip-hash-check --user --timeout --help' -- "$word")) ;;
  'snapctl extract') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --prefix --key --rev --keys-only --value-only --skip-hash-check --help' -- "$word")) ;;
  'snapctl undelete') COMPREPLY=($(compgen -W '--output --no-progress --prefix --key --from --to --rev --if-changed --dry-run --user --timeout --help' -- "$word")) ;;
  esac
}
complete -o filenames -F _snapctl snapctl
