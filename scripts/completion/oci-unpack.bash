# Completion of oci-unpack for bash 4.4 and newer.

# shellcheck disable=SC1003,SC2034,SC2088 # quotes and ~ as they were typed; tables set what their callers read

@TABLE@

_oci_unpack() {
  local command=${1/#\~\//$HOME/} cut_off=$2 words=() lead='' kept plain quote raw
  local path='' commands flags positionals value='' value_expected='' position=0
  local -A takes
  COMPREPLY=()
  _oci_unpack_words
  _oci_unpack_walk
  raw=${words[-1]}
  kept=${raw%"$cut_off"}
  if [[ -z $value_expected && $raw =~ ^--?([A-Za-z][A-Za-z0-9._-]*)=(.*)$ ]]; then
    [[ -n ${takes[${BASH_REMATCH[1]}]-} ]] || return 0
    value=${takes[${BASH_REMATCH[1]}]} value_expected=yes
    lead=${raw%"${BASH_REMATCH[2]}"} raw=${BASH_REMATCH[2]}
  fi
  _oci_unpack_unquote "${kept#"$lead"}"
  [[ $kept == "$lead"* ]] && lead='' kept=$plain
  _oci_unpack_unquote "$raw"
  if [[ -z $value_expected && $raw == -* ]]; then
    _oci_unpack_offer "${flags[@]}"
  elif [[ -z $value_expected && ${#commands[@]} -gt 0 ]]; then
    _oci_unpack_offer "${commands[@]}"
  else
    [[ -n $value_expected ]] || value=${positionals[position]-}
    _oci_unpack_value "${value%% *}" "${value#* }"
  fi
}

# Sets `words` to those before the cursor: what COMP_WORDBREAKS cut at : and = is joined again.
_oci_unpack_words() {
  local line=${COMP_LINE:0:COMP_POINT} word gap
  for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    gap=${line%%[![:space:]]*}
    line=${line#"$gap"}
    word=${word:0:${#line}}
    line=${line#"$word"}
    if [[ -n $gap || ${#words[@]} -eq 0 ]]; then words+=("$word"); else words[-1]+=$word; fi
  done
}

# Goes through all words but the last, to learn which command it belongs to and as what.
_oci_unpack_walk() {
  local word name
  _oci_unpack_declared ''
  for word in "${words[@]:1:${#words[@]}-2}"; do
    if [[ -n $value_expected ]]; then
      value_expected=''
    elif [[ $word == -?* ]]; then
      name=${word#-}
      name=${name#-}
      [[ -z $name || -z ${takes[$name]-} ]] || value=${takes[$name]} value_expected=yes
    elif [[ ${#commands[@]} -gt 0 ]]; then
      path=${path:+$path }$word
      _oci_unpack_declared "$path" || commands=() flags=() takes=() positionals=()
    else
      ((++position))
    fi
  done
}

# Sets `plain` to the text without quotes and backslashes, and `quote` to the quote that is still open.
_oci_unpack_unquote() {
  local text=$1 char
  plain='' quote=''
  while [[ -n $text ]]; do
    char=${text:0:1} text=${text:1}
    case $quote$char in
      "''" | '""') quote='' ;;
      "'" | '"') quote=$char ;;
      \\ | '"\') plain+=${text:0:1} text=${text:1} ;;
      *) plain+=$char ;;
    esac
  done
}

# Values of a kind, or the known words. Readline completes names of files best itself.
_oci_unpack_value() {
  local words=()
  [[ $2 == "$1" ]] || read -ra words <<<"$2"
  [[ ${#words[@]} -eq 0 ]] || _oci_unpack_offer "${words[@]}"
  [[ ${#COMPREPLY[@]} -eq 0 ]] || return 0
  case $1 in
    file) compopt -o default ;;
    directory) compopt -o dirnames ;;
    image | source | source-layout) _oci_unpack_image "$1" ;;
  esac
}

# [TRANSPORT:]PATH[:TAG]
_oci_unpack_image() {
  local transport='' rest=$plain
  if [[ $1 != image && $plain =~ ^(@TRANSPORTS@): ]]; then
    transport=${BASH_REMATCH[0]} rest=${plain#"${BASH_REMATCH[0]}"}
  fi
  if [[ $rest != *:* ]]; then
    _oci_unpack_places "$1"
  elif [[ $1 != source-layout ]]; then
    _oci_unpack_tags "$transport${rest%%:*}"
  fi
}

# Directories, and files where archives are; a layout that is the only one is followed by its tags.
_oci_unpack_places() {
  local places=() place layouts=() found=()
  mapfile -t places < <(if [[ $transport =~ ^(@OF_FILES@):$ ]]; then compgen -f -- "$rest"; else compgen -d -- "$rest"; fi)
  for place in "${places[@]}"; do
    if [[ -e ${place/#\~\//$HOME/}/oci-layout && ! $transport =~ ^(@OF_FILES@):$ ]]; then
      layouts+=("$transport$place")
    elif [[ -d ${place/#\~\//$HOME/} ]]; then
      found+=("$transport$place/")
    else
      found+=("$transport$place")
    fi
  done
  if [[ $1 != image && -z $transport ]]; then
    for place in @PREFIXES@; do
      [[ $place != "$plain"* ]] || found+=("$place")
    done
  fi
  if [[ $1 == source-layout ]]; then
    found+=("${layouts[@]}")
  elif [[ ${#found[@]} -eq 0 && ${#layouts[@]} -eq 1 ]]; then
    _oci_unpack_tags "${layouts[0]}"
    [[ ${#COMPREPLY[@]} -eq 0 ]] || return 0
    found=("${layouts[0]}")
  else
    found+=("${layouts[@]/%/:}")
  fi
  _oci_unpack_offer "${found[@]}"
  [[ ${COMPREPLY[*]} != *[/:] ]] || compopt -o nospace
}

# The tags of a layout or archive, as PATH:TAG.
_oci_unpack_tags() {
  local tags=() place=$1
  [[ $place != '~/'* ]] || place=$HOME${place#\~}
  mapfile -t tags < <("$command" ls --layout "$place" 2>/dev/null)
  _oci_unpack_offer "${tags[@]/#/$1:}"
}

# Those of the words that go on from what was typed, less what readline leaves in the line, quoted as it is.
_oci_unpack_offer() {
  local word tilde
  for word; do
    [[ $word == "$plain"* ]] || continue
    word=${word#"$kept"} tilde=''
    if [[ -z $quote ]]; then
      [[ $word != '~/'* ]] || tilde='~/'
      printf -v word %q "${word#"$tilde"}"
    fi
    COMPREPLY+=("$lead$tilde$word")
  done
}

complete -F _oci_unpack oci-unpack
