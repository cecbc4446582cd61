# bash completion of peerbench(1); made from the description of the commands.
_peerbench() {
  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}
  local path=peerbench i
  # `--option=value` comes as three words
  if [ "$word" = '=' ]; then word=; elif [ "$last" = '=' ]; then last=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
    'peerbench channels') path='peerbench channels' ;;
    'peerbench heartbeat') path='peerbench heartbeat' ;;
    'peerbench mix') path='peerbench mix' ;;
    'peerbench doctor') path='peerbench doctor' ;;
    'peerbench compare') path='peerbench compare' ;;
    esac
  done
  case "$last" in
  --output | -o) COMPREPLY=($(compgen -W 'text json table' -- "$word")); return ;;
  --against) COMPREPLY=($(compgen -f -- "$word")); return ;;
  --temp-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
  --snapshot-rate) return ;;
  --target) return ;;
  --rate) return ;;
  --duration) return ;;
  --warm-up) return ;;
  --saturation) return ;;
  --append-bytes) return ;;
  --snapshot-size) return ;;
  --snapshots) return ;;
  --during-snapshot) return ;;
  --interval) return ;;
  --gaps) return ;;
  --election-timeout) return ;;
  --plot) COMPREPLY=($(compgen -f -- "$word")); return ;;
  --profile) COMPREPLY=($(compgen -f -- "$word")); return ;;
  --data-dir) COMPREPLY=($(compgen -d -- "$word")); return ;;
  --seed) return ;;
  --peers) return ;;
  esac
  case "$path" in
  'peerbench') COMPREPLY=($(compgen -W 'channels heartbeat mix doctor compare --output --no-progress --help' -- "$word")) ;;
  'peerbench channels') COMPREPLY=($(compgen -W '--output --no-progress --self --against --temp-dir --keep --snapshot-rate --target --rate --duration --warm-up --saturation --append-bytes --snapshot-size --snapshots --limits --help' -- "$word")) ;;
  'peerbench heartbeat') COMPREPLY=($(compgen -W '--output --no-progress --self --against --temp-dir --keep --snapshot-rate --during-snapshot --interval --gaps --election-timeout --no-contrast --plot --help' -- "$word")) ;;
  'peerbench mix') COMPREPLY=($(compgen -W '--output --no-progress --self --against --temp-dir --keep --snapshot-rate --profile --data-dir --rate --duration --warm-up --seed --help' -- "$word")) ;;
  'peerbench doctor') COMPREPLY=($(compgen -W '--output --no-progress --data-dir --peers --duration --help' -- "$word")) ;;
  'peerbench compare') [[ $word == -* ]] || { COMPREPLY=($(compgen -f -- "$word")); return; }
    COMPREPLY=($(compgen -W '--output --no-progress --help' -- "$word")) ;;
  esac
}
complete -o filenames -F _peerbench peerbench
