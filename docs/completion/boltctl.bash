# bash completion of boltctl(1); made from the description of the commands.
_boltctl() {
  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}
  local path=boltctl i
  # `--option=value` comes as three words
  if [ "$word" = '=' ]; then word=; elif [ "$last" = '=' ]; then last=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
    'boltctl check') path='boltctl check' ;;
    'boltctl info') path='boltctl info' ;;
    'boltctl stats') path='boltctl stats' ;;
    'boltctl buckets') path='boltctl buckets' ;;
    'boltctl keys') path='boltctl keys' ;;
    'boltctl get') path='boltctl get' ;;
    'boltctl dump') path='boltctl dump' ;;
    'boltctl pages') path='boltctl pages' ;;
    'boltctl page') path='boltctl page' ;;
    'boltctl top') path='boltctl top' ;;
    'boltctl compact') path='boltctl compact' ;;
    'boltctl salvage') path='boltctl salvage' ;;
    'boltctl surgery') path='boltctl surgery' ;;
    'boltctl surgery copy-page') path='boltctl surgery copy-page' ;;
    'boltctl surgery clear-elements') path='boltctl surgery clear-elements' ;;
    'boltctl surgery revert-meta') path='boltctl surgery revert-meta' ;;
    'boltctl surgery update-meta') path='boltctl surgery update-meta' ;;
    'boltctl surgery abandon-freelist') path='boltctl surgery abandon-freelist' ;;
    'boltctl surgery rebuild-freelist') path='boltctl surgery rebuild-freelist' ;;
    'boltctl freelist') path='boltctl freelist' ;;
    'boltctl freelist show') path='boltctl freelist show' ;;
    'boltctl freelist convert') path='boltctl freelist convert' ;;
    'boltctl bench') path='boltctl bench' ;;
    'boltctl plot') path='boltctl plot' ;;
    esac
  done
  case "$last" in
  --output | -o) COMPREPLY=($(compgen -W 'text json table' -- "$word")); return ;;
  --threads) return ;;
  --show) return ;;
  --state) return ;;
  --limit) return ;;
  --prefix) return ;;
  --type) COMPREPLY=($(compgen -W 'free meta freelist leaf branch overflow lost' -- "$word")); return ;;
  --by) COMPREPLY=($(compgen -W 'prefix bucket age versions' -- "$word")); return ;;
  --depth) return ;;
  --rows) return ;;
  --to) COMPREPLY=($(compgen -f -- "$word")); return ;;
  --page-size) return ;;
  --fill) return ;;
  --freelist) COMPREPLY=($(compgen -W 'synced unsynced' -- "$word")); return ;;
  --from) return ;;
  --onto) return ;;
  --page) return ;;
  --first) return ;;
  --last) return ;;
  --meta) return ;;
  --root) return ;;
  --high-water) return ;;
  --txid) return ;;
  --form) COMPREPLY=($(compgen -W 'synced unsynced' -- "$word")); return ;;
  --no-freelist-sync) COMPREPLY=($(compgen -W 'on off both' -- "$word")); return ;;
  --map-populate) COMPREPLY=($(compgen -W 'on off both' -- "$word")); return ;;
  --freelist-type) COMPREPLY=($(compgen -W 'hashmap array' -- "$word")); return ;;
  --keys) return ;;
  --value-bytes) return ;;
  --commits) return ;;
  --batch) return ;;
  --readers) return ;;
  --hold) return ;;
  --windows) return ;;
  --reads) return ;;
  --svg) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "$path" in
  'boltctl') COMPREPLY=($(compgen -W 'check info stats buckets keys get dump pages page top compact salvage surgery freelist bench plot --output --no-progress --help' -- "$word")) ;;
  'boltctl check') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --threads --show --state --help' -- "$word")) ;;
  'boltctl info') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --state --help' -- "$word")) ;;
  'boltctl stats') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --state --help' -- "$word")) ;;
  'boltctl buckets') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --state --help' -- "$word")) ;;
  'boltctl keys') COMPREPLY=($(compgen -W '--output --no-progress --limit --prefix --reverse --raw --state --help' -- "$word")) ;;
  'boltctl get') COMPREPLY=($(compgen -W '--output --no-progress --hex --raw --state --help' -- "$word")) ;;
  'boltctl dump') COMPREPLY=($(compgen -W '--output --no-progress --limit --prefix --reverse --raw --state --help' -- "$word")) ;;
  'boltctl pages') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --type --state --help' -- "$word")) ;;
  'boltctl page') COMPREPLY=($(compgen -W '--output --no-progress --hex --state --help' -- "$word")) ;;
  'boltctl top') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --by --depth --rows --state --help' -- "$word")) ;;
  'boltctl compact') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --page-size --fill --freelist --no-verify --help' -- "$word")) ;;
  'boltctl salvage') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --no-stale --page-size --help' -- "$word")) ;;
  'boltctl surgery') COMPREPLY=($(compgen -W 'copy-page clear-elements revert-meta update-meta abandon-freelist rebuild-freelist --output --no-progress --help' -- "$word")) ;;
  'boltctl surgery copy-page') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --from --onto --help' -- "$word")) ;;
  'boltctl surgery clear-elements') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --page --first --last --help' -- "$word")) ;;
  'boltctl surgery revert-meta') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --help' -- "$word")) ;;
  'boltctl surgery update-meta') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --meta --root --freelist --no-freelist --high-water --txid --help' -- "$word")) ;;
  'boltctl surgery abandon-freelist') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --help' -- "$word")) ;;
  'boltctl surgery rebuild-freelist') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --in-place --discard-original --dry-run --help' -- "$word")) ;;
  'boltctl freelist') COMPREPLY=($(compgen -W 'show convert --output --no-progress --help' -- "$word")) ;;
  'boltctl freelist show') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --runs --state --help' -- "$word")) ;;
  'boltctl freelist convert') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --form --to --force --in-place --discard-original --dry-run --help' -- "$word")) ;;
  'boltctl bench') [[ $word == -* ]] || { COMPREPLY=($(compgen -d -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --no-freelist-sync --map-populate --freelist-type --keys --value-bytes --commits --batch --readers --hold --windows --reads --sync --svg --help' -- "$word")) ;;
  'boltctl plot') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --to --force --state --help' -- "$word")) ;;
  esac
}
complete -o filenames -F _boltctl boltctl
