# Completion of oci-unpack for fish 3.1 and newer.

# Prints the words of the command that the cursor is in, and then how many positionals stand before it.
function __oci_unpack_walk
    set -l words (commandline -opc)
    set -l path
    set -l position 0
    set -l is_value no
    for word in $words[2..-1]
        if test $is_value = yes
            set is_value no
        else if string match -qr '^-.' -- $word
            contains -- (string replace -r '^--?' '' -- $word) $__oci_unpack_valued; and set is_value yes
        else if test -z "$path"; or contains -- "$path" $__oci_unpack_groups
            set -a path $word
        else
            set position (math $position + 1)
        end
    end
    echo "$path"
    echo $position
end

# Whether the cursor is in one of these commands.
function __oci_unpack_at
    set -l found (__oci_unpack_walk)
    contains -- "$found[1]" $argv
end

# The same, for the positional of this number.
function __oci_unpack_positional -a number
    set -l found (__oci_unpack_walk)
    test (math $found[2] + 1) = $number; and contains -- "$found[1]" $argv[2..-1]
end

# [TRANSPORT:]PATH[:TAG]; the argument is image, source or source-layout.
function __oci_unpack_image -a kind
    set -l typed (__oci_unpack_typed)
    set -l transport ''
    if test $kind != image
        set transport (string match -r '^(?:@TRANSPORTS@):' -- $typed; or echo)
        test -n "$transport"; or printf '%s\n' @PREFIXES@
    end
    set -l rest (string sub -s (math (string length -- "$transport") + 1) -- "$typed")
    if not string match -q '*:*' -- $rest
        __oci_unpack_places $kind $transport $rest
    else if test $kind != source-layout
        __oci_unpack_tags $transport(string replace -r ':.*' '' -- $rest)
    end
end

# The word before the cursor without its quotes, and without --flag= before it.
function __oci_unpack_typed
    set -l raw (commandline -ct | string replace -r '^--?[A-Za-z][\w.-]*=' '')
    for closing in '' '"' "'"
        string unescape -- "$raw$closing"; and return
    end
end

# Directories, and files where archives are; the path of a layout may go on with a tag.
function __oci_unpack_places -a kind transport rest
    set -l expanded (string replace -r '^~/' "$HOME/" -- "$rest")
    for place in $expanded*
        set -l shown $transport(string replace -- $expanded $rest $place)
        if not test -d $place
            string match -qr '^(?:@OF_FILES@):$' -- $transport; and echo $shown
        else if test $kind != source-layout; and test -e $place/oci-layout
            echo $shown:
        else
            echo $shown/
        end
    end
end

function __oci_unpack_tags -a place
    set -l words (commandline -opc)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    for tag in ($program ls --layout (string replace -r '^~/' "$HOME/" -- $place) 2>/dev/null)
        echo $place:$tag
    end
end

@TABLE@
