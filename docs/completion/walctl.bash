# bash completion of walctl(1); made from the description of the commands.
_walctl() {
  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}
  local path=walctl i
  # `--option=value` comes as three words
  if [ "$word" = '=' ]; then word=; elif [ "$last" = '=' ]; then last=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
    'walctl info') path='walctl info' ;;
    'walctl verify') path='walctl verify' ;;
    'walctl dump') path='walctl dump' ;;
    'walctl log') path='walctl log' ;;
    'walctl history') path='walctl history' ;;
    'walctl top') path='walctl top' ;;
    'walctl fsck') path='walctl fsck' ;;
    'walctl repair') path='walctl repair' ;;
    'walctl survey') path='walctl survey' ;;
    'walctl remember') path='walctl remember' ;;
    esac
  done
  case "$last" in
  --output | -o) COMPREPLY=($(compgen -W 'text json table' -- "$word")); return ;;
  --wal-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
  --start-snap) return ;;
  --start-index) return ;;
  --end-index) return ;;
  --entry-type) return ;;
  --stream-decoder) return ;;
  --key) return ;;
  --from) return ;;
  --from-index) return ;;
  --by) COMPREPLY=($(compgen -W 'prefix key operation user' -- "$word")); return ;;
  --limit | -n) return ;;
  --members) return ;;
  --name) return ;;
  --cluster-token) return ;;
  --undo) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "$path" in
  'walctl') COMPREPLY=($(compgen -W 'info verify dump log history top fsck repair survey remember --output --no-progress --wal-dir --help' -- "$word")) ;;
  'walctl info') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --help' -- "$word")) ;;
  'walctl verify') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --help' -- "$word")) ;;
  'walctl dump') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --start-snap --start-index --end-index --entry-type --stream-decoder --raw --help' -- "$word")) ;;
  'walctl log') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --key --from --from-index --reads --follow --help' -- "$word")) ;;
  'walctl history') COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --help' -- "$word")) ;;
  'walctl top') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --by --limit --help' -- "$word")) ;;
  'walctl fsck') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --help' -- "$word")) ;;
  'walctl repair') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --dry-run --help' -- "$word")) ;;
  'walctl survey') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --help' -- "$word")) ;;
  'walctl remember') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --wal-dir --members --name --cluster-token --undo --dry-run --help' -- "$word")) ;;
  esac
}
complete -o filenames -F _walctl walctl
