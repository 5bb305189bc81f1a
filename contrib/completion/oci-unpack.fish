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
        set transport (string match -r '^(?:oci|oci-archive|docker-archive|tar|docker):' -- $typed; or echo)
        test -n "$transport"; or printf '%s\n' oci: oci-archive: docker-archive: tar: docker:
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
            string match -qr '^(?:oci-archive|docker-archive|tar):$' -- $transport; and echo $shown
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

set -g __oci_unpack_groups raw file erofs bundle hooks
set -g __oci_unpack_valued log progress color image platform layout jobs decompressor uid-map gid-map max-entries max-unpacked-bytes max-ratio max-path-bytes max-json-bytes max-pax-bytes authfile creds creds-fd cert-dir tls-verify manifest hooks trace mask-path compress compress-level time-precision history.author history.comment history.created history.created_by tag author created architecture platform.arch os platform.os platform.os.version platform.variant config.user config.exposedports config.env config.entrypoint config.cmd config.volume config.label config.workingdir config.stopsignal manifest.annotation clear referrers rootfs f file path p use-keywords k add-keywords K src-authfile src-creds src-creds-fd src-cert-dir src-tls-verify dest-authfile dest-creds dest-creds-fd dest-cert-dir dest-tls-verify index socket port pid-file run vmdk cache options o layer conflicts only keep link case directory

complete -c oci-unpack -f
complete -c oci-unpack -l log -x -a 'debug info warn error fatal' -d 'how much to log on stderr (default: warn)'
complete -c oci-unpack -l verbose -d 'the same as --log=info'
complete -c oci-unpack -l progress -x -a 'auto plain json none' -d 'how to show progress on stderr (default: auto, which shows none without a terminal)'
complete -c oci-unpack -l color -x -a 'auto always never' -d 'when to use colours (default: auto, only on a terminal)'
complete -c oci-unpack -l userns -d 'run the command in a new user namespace with your subordinate ids'
complete -c oci-unpack -l help -s h -d 'show help'

complete -c oci-unpack -n '__oci_unpack_at ""' -a unpack -d 'unpack an image into a runtime bundle'
complete -c oci-unpack -n '__oci_unpack_at ""' -a repack -d 'add the changes in a bundle to its image, as a layer'
complete -c oci-unpack -n '__oci_unpack_at ""' -a diff -d 'show what repack would put into the layer'
complete -c oci-unpack -n '__oci_unpack_at ""' -a config -d 'change the config of an image'
complete -c oci-unpack -n '__oci_unpack_at ""' -a insert -d 'add a file or directory to an image as a layer'
complete -c oci-unpack -n '__oci_unpack_at ""' -a init -d 'make an empty OCI layout'
complete -c oci-unpack -n '__oci_unpack_at ""' -a new -d 'make an image without layers'
complete -c oci-unpack -n '__oci_unpack_at ""' -a tag -d 'give an image another tag'
complete -c oci-unpack -n '__oci_unpack_at ""' -a remove -d 'remove a tag'
complete -c oci-unpack -n '__oci_unpack_at ""' -a list -d 'list the tags of a layout, an archive or a repository'
complete -c oci-unpack -n '__oci_unpack_at ""' -a stat -d 'show what an image is made of'
complete -c oci-unpack -n '__oci_unpack_at ""' -a gc -d 'remove the blobs that no image of an OCI layout needs'
complete -c oci-unpack -n '__oci_unpack_at ""' -a raw -d 'lower-level commands'
complete -c oci-unpack -n '__oci_unpack_at ""' -a copy -d 'copy an image between layouts, archives and registries'
complete -c oci-unpack -n '__oci_unpack_at ""' -a verify -d 'check that images are complete, undamaged and can be unpacked'
complete -c oci-unpack -n '__oci_unpack_at ""' -a file -d 'commands for the files of an image that is not unpacked'
complete -c oci-unpack -n '__oci_unpack_at ""' -a erofs -d 'commands for images of layers that can be mounted (default: make)'
complete -c oci-unpack -n '__oci_unpack_at ""' -a bundle -d 'commands for existing bundles'
complete -c oci-unpack -n '__oci_unpack_at ""' -a hooks -d 'commands for writing and running hooks'
complete -c oci-unpack -n '__oci_unpack_at ""' -a help -d 'show the help of a command'
complete -c oci-unpack -n '__oci_unpack_at ""' -l version -s v -d 'show the version'

complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l layout -x -a '(__oci_unpack_image image)' -d 'OCI layout that first gets the blobs which it lacks, and keeps them (default tag: that of the image)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l rootless -d 'need no privileges: own all files, keep owners in an attribute, devices as empty files'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l uid-map -x -d 'map user ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l gid-map -x -d 'map group ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l manifest -x -a 'full lazy' -d 'whether the tree manifest states digests: lazy ones are read from the image when needed (default: full)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "unpack"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "unpack"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "repack"' -l image -x -a '(__oci_unpack_image image)' -d 'image: [oci:]PATH[:TAG] or docker://[HOST/]NAME[:TAG] (default tag: latest)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l refresh-bundle -d 'make the bundle belong to the new image, for the next repack'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l verify-delta -d 'check every file anyway, and fail if hooks left out a change'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l mask-path -x -d 'ignore changes at and below this path (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l no-mask-volumes -d 'include changes in the image\'s volumes'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l compress -x -a 'auto none gzip zstd' -d 'compression of the layer (default: auto: that of the layer below, or gzip)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l compress-level -x -d '1 to 9 for gzip (default: 4), 1 to 19 for zstd (default: 3)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l time-precision -x -a 'seconds nanoseconds' -d 'precision of times in the layer (default: nanoseconds; umoci writes seconds)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l no-history -d 'do not add a history entry'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l history.author -x -d 'author of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l history.comment -x -d 'comment of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l history.created -x -d 'date of the history entry (RFC 3339)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l history.created_by -x -d 'command that made the change'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "repack"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "repack"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "diff"' -l mask-path -x -d 'ignore changes at and below this path (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "diff"' -l no-mask-volumes -d 'include changes in the image\'s volumes'
complete -c oci-unpack -n '__oci_unpack_at "diff"' -l json -d 'print one JSON object per path'
complete -c oci-unpack -n '__oci_unpack_at "diff"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "diff"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "config"' -l image -x -a '(__oci_unpack_image image)' -d 'image: [oci:]PATH[:TAG] or docker://[HOST/]NAME[:TAG] (default tag: latest)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l tag -x -d 'tag of the result (default: that of --image)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l author -x -d 'who made the image'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l created -x -d 'when the image was made (RFC 3339)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l architecture -l platform.arch -x -d 'architecture the image is for (Go\'s name)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l os -l platform.os -x -d 'operating system the image is for (Go\'s name)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l platform.os.version -x -d 'version of the operating system'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l platform.variant -x -d 'variant of the architecture'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.user -x -d 'user that the process runs as'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.exposedports -x -d 'add a port that the container listens on (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.env -x -d 'set an environment variable (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.entrypoint -x -d 'add an argument to the new entrypoint (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.cmd -x -d 'add an argument to the new command (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.volume -x -d 'add a volume (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.label -x -d 'set a label (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.workingdir -x -d 'working directory of the process'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l config.stopsignal -x -d 'signal that asks the process to exit'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l manifest.annotation -x -d 'set an annotation of the manifest (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l clear -x -a 'config.labels config.exposedports config.env config.volume config.cmd config.entrypoint manifest.annotations' -d 'clear this before setting anything: config.labels, config.exposedports, config.env, config.volume, config.cmd, config.entrypoint or manifest.annotations (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l no-history -d 'do not add a history entry'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l history.author -x -d 'author of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l history.comment -x -d 'comment of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l history.created -x -d 'date of the history entry (RFC 3339)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l history.created_by -x -d 'command that made the change'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "config"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'

complete -c oci-unpack -n '__oci_unpack_at "insert"' -l image -x -a '(__oci_unpack_image image)' -d 'image: [oci:]PATH[:TAG] or docker://[HOST/]NAME[:TAG] (default tag: latest)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l tag -x -d 'tag of the result (default: that of --image)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l opaque -d 'hide what the image already has in the directory TARGET'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l whiteout -d 'delete TARGET'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l rootless -d 'owners are root, or what the attribute user.rootlesscontainers says'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l uid-map -x -d 'map user ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l gid-map -x -d 'map group ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l compress -x -a 'auto none gzip zstd' -d 'compression of the layer (default: auto: that of the layer below, or gzip)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l compress-level -x -d '1 to 9 for gzip (default: 4), 1 to 19 for zstd (default: 3)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l time-precision -x -a 'seconds nanoseconds' -d 'precision of times in the layer (default: nanoseconds; umoci writes seconds)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l no-history -d 'do not add a history entry'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l history.author -x -d 'author of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l history.comment -x -d 'comment of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l history.created -x -d 'date of the history entry (RFC 3339)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l history.created_by -x -d 'command that made the change'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "insert"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "insert"' -r -F

complete -c oci-unpack -n '__oci_unpack_at "init"' -l layout -x -a '(__fish_complete_directories)' -d 'directory of an OCI layout'

complete -c oci-unpack -n '__oci_unpack_at "new"' -l image -x -a '(__oci_unpack_image image)' -d 'image: [oci:]PATH[:TAG] or docker://[HOST/]NAME[:TAG] (default tag: latest)'
complete -c oci-unpack -n '__oci_unpack_at "new"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "new"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "new"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "new"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "new"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'

complete -c oci-unpack -n '__oci_unpack_at "tag"' -l image -x -a '(__oci_unpack_image image)' -d 'image: [oci:]PATH[:TAG] or docker://[HOST/]NAME[:TAG] (default tag: latest)'
complete -c oci-unpack -n '__oci_unpack_at "tag"' -l platform -x -d 'only the image for this platform of an index (default: all)'
complete -c oci-unpack -n '__oci_unpack_at "tag"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "tag"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "tag"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "tag"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "tag"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'

complete -c oci-unpack -n '__oci_unpack_at "remove" "rm"' -l image -x -a '(__oci_unpack_image image)' -d 'image in an OCI layout (default tag: latest)'

complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l layout -x -a '(__oci_unpack_image source-layout)' -d 'all images of [oci:]PATH, oci-archive:FILE, docker-archive:FILE, tar:FILE or docker://[HOST/]NAME'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l referrers -x -a '(__oci_unpack_image source)' -d 'list the signatures, SBOMs and attestations of this image'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l long -d 'show details, not only names'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l json -d 'print one JSON array'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "list" "ls"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "list" "ls"' -x -a '(__oci_unpack_image source-layout)'

complete -c oci-unpack -n '__oci_unpack_at "stat"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l platform -x -d 'only the image for this platform of an index (default: all)'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l history -d 'show only the history, as a table'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l long -d 'show everything, which is the default'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l json -d 'print one line of JSON with the documents as they are stored'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "stat"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'

complete -c oci-unpack -n '__oci_unpack_at "gc"' -l layout -x -a '(__fish_complete_directories)' -d 'directory of an OCI layout'
complete -c oci-unpack -n '__oci_unpack_at "gc"' -l dry-run -d 'only show what would be removed'
complete -c oci-unpack -n '__oci_unpack_at "gc"' -l list -d 'show what was removed, with sizes'
complete -c oci-unpack -n '__oci_unpack_at "gc"' -l json -d 'print the same list as a JSON object'

complete -c oci-unpack -n '__oci_unpack_at "raw"' -a unpack -d 'unpack only the root file system of an image'
complete -c oci-unpack -n '__oci_unpack_at "raw"' -a runtime-config -d 'write the runtime configuration of an image'
complete -c oci-unpack -n '__oci_unpack_at "raw"' -a add-layer -d 'add a tar archive to an image as a layer'
complete -c oci-unpack -n '__oci_unpack_at "raw"' -a mtree-validate -d 'compare a directory with a tree manifest (mtree)'

complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l layout -x -a '(__oci_unpack_image image)' -d 'OCI layout that first gets the blobs which it lacks, and keeps them (default tag: that of the image)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l rootless -d 'need no privileges: own all files, keep owners in an attribute, devices as empty files'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l uid-map -x -d 'map user ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l gid-map -x -d 'map group ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "raw unpack"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "raw unpack"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l rootfs -x -a '(__fish_complete_directories)' -d 'root file system with the image\'s users and groups; becomes root.path'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l uid-map -x -d 'map user ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l gid-map -x -d 'map group ids to ids on disk (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l rootless -d 'write a config for a runtime without privileges; without id maps, 0 is mapped to your own id'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "raw runtime-config" "raw config"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "raw runtime-config" "raw config"' -r -F

complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l image -x -a '(__oci_unpack_image image)' -d 'image: [oci:]PATH[:TAG] or docker://[HOST/]NAME[:TAG] (default tag: latest)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l tag -x -d 'tag of the result (default: that of --image)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l compress -x -a 'auto none gzip zstd' -d 'compression of the layer (default: auto: that of the layer below, or gzip)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l compress-level -x -d '1 to 9 for gzip (default: 4), 1 to 19 for zstd (default: 3)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l time-precision -x -a 'seconds nanoseconds' -d 'precision of times in the layer (default: nanoseconds; umoci writes seconds)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l no-history -d 'do not add a history entry'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l history.author -x -d 'author of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l history.comment -x -d 'comment of the history entry'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l history.created -x -d 'date of the history entry (RFC 3339)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l history.created_by -x -d 'command that made the change'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "raw add-layer"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "raw add-layer"' -r -F

complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l manifest -s f -l file -r -F -d 'tree manifest'
complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l path -s p -x -a '(__fish_complete_directories)' -d 'directory to compare with the tree manifest'
complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l use-keywords -s k -x -d 'keywords to compare (default: those of the tree manifest)'
complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l add-keywords -s K -x -d 'additional keywords to compare'
complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l rootless -d 'read also what its owner may not read, and put the modes back'
complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l umoci-keywords -d 'compare the keywords that umoci uses'
complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "raw mtree-validate"' -l json -d 'print one JSON object per path'

complete -c oci-unpack -n '__oci_unpack_at "copy"' -l platform -x -d 'copy only the image for this platform'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l referrers -d 'take along what refers to the image: signatures, SBOMs, attestations'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l jobs -x -d 'blobs to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l authfile -r -F -d 'file of credentials for both registries (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l src-authfile -r -F -d 'file of credentials for the source\'s registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l src-creds -x -d 'credentials for the source\'s registry, which other users can see in the list of processes: better use OCI_UNPACK_SRC_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l src-creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the source\'s registry'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l src-cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the source\'s registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l src-tls-verify -x -a 'true false' -d 'check the certificate of the source\'s registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l dest-authfile -r -F -d 'file of credentials for the destination\'s registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l dest-creds -x -d 'credentials for the destination\'s registry, which other users can see in the list of processes: better use OCI_UNPACK_DEST_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l dest-creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the destination\'s registry'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l dest-cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the destination\'s registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "copy"' -l dest-tls-verify -x -a 'true false' -d 'check the certificate of the destination\'s registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "copy"' -x -a '(__oci_unpack_image source)'
complete -c oci-unpack -n '__oci_unpack_positional 2 "copy"' -x -a '(__oci_unpack_image source)'

complete -c oci-unpack -n '__oci_unpack_at "verify"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l layout -x -a '(__oci_unpack_image source-layout)' -d 'all images of [oci:]PATH, oci-archive:FILE, docker-archive:FILE or tar:FILE'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l json -d 'print one JSON object'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l jobs -x -d 'blobs to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "verify"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'

complete -c oci-unpack -n '__oci_unpack_at "file"' -a list -d 'list the files of an image'
complete -c oci-unpack -n '__oci_unpack_at "file"' -a cat -d 'print a file of an image'
complete -c oci-unpack -n '__oci_unpack_at "file"' -a extract -d 'write files of an image below a directory'
complete -c oci-unpack -n '__oci_unpack_at "file"' -a serve -d 'serve files of an image as network block devices (NBD)'
complete -c oci-unpack -n '__oci_unpack_at "file"' -a export -d 'write a file of an image to a new file, a block device or standard output'
complete -c oci-unpack -n '__oci_unpack_at "file"' -a index -d 'make indexes, with which any part of a layer can be read'

complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l long -s l -d 'show mode, links, owner, size or device, time and target'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l json -d 'print one JSON object per line, with all metadata'
complete -c oci-unpack -n '__oci_unpack_at "file list" "file ls"' -l null -s 0 -d 'print unescaped names, each followed by a NUL byte'

complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "file cat"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'

complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_at "file extract"' -l overwrite -d 'replace existing files (never directories)'
complete -c oci-unpack -n '__oci_unpack_positional 2 "file extract"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l index -x -a '(__fish_complete_directories)' -d 'directory of indexes (default: in the user\'s cache)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l disk -d 'serve the only file in /disk, the disk of a KubeVirt containerDisk, as the default export'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l socket -r -F -d 'Unix socket to make and listen on (default with --run: a temporary one)'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l port -x -d 'TCP port on 127.0.0.1 to listen on; 0 for any that is free'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l pid-file -r -F -d 'write the id of the process to FILE once the server listens; one of a server that has ended is replaced'
complete -c oci-unpack -n '__oci_unpack_at "file serve"' -l run -x -d 'run COMMAND with sh, then end with its exit status; $uri, $unixsocket, $port and $exportname say where the server is'

complete -c oci-unpack -n '__oci_unpack_at "file export"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l disk -d 'export the only file in /disk, the disk of a KubeVirt containerDisk'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l inflate -d 'inflate a file that is compressed with gzip, zstd, xz or bzip2'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l stop-early -d 'read no further than the file, so that its layer remains unverified'
complete -c oci-unpack -n '__oci_unpack_at "file export"' -l json -d 'print a JSON object that describes the file'
complete -c oci-unpack -n '__oci_unpack_positional 2 "file export"' -r -F

complete -c oci-unpack -n '__oci_unpack_at "file index"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l index -x -a '(__fish_complete_directories)' -d 'directory of indexes (default: in the user\'s cache)'
complete -c oci-unpack -n '__oci_unpack_at "file index"' -l json -d 'print one JSON object per line'

complete -c oci-unpack -n '__oci_unpack_at "erofs"' -a make -d 'make EROFS images of an image and its layers'
complete -c oci-unpack -n '__oci_unpack_at "erofs"' -a verify -d 'check EROFS images against their erofs.json'
complete -c oci-unpack -n '__oci_unpack_at "erofs"' -a mount -d 'mount EROFS images as the file system of their image'
complete -c oci-unpack -n '__oci_unpack_at "erofs"' -a umount -d 'unmount EROFS images'

complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l image -x -a '(__oci_unpack_image source)' -d 'image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l vmdk -x -a 'devices linear' -d 'also make disk.vmdk, with which a virtual machine sees all images as one disk: for Linux 6.4 and newer (devices, as without FORM), or also for older kernels (linear)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l cache -x -a '(__fish_complete_directories)' -d 'take images of layers from DIRECTORY if they are right, and put others there, where containerd finds them (layer_content_caches)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l verity -d 'also make hash trees for dm-verity beside the images (NAME.verity), with their root hashes in erofs.json'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l json -d 'print what erofs.json says'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "erofs make"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "erofs make"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "erofs verify"' -l jobs -x -d 'images to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "erofs verify"' -l json -d 'print JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "erofs verify"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "erofs mount"' -l options -s o -x -a 'nosuid nodev noexec nosuid,nodev,noexec' -d 'options of mount(8), separated by commas: nosuid, nodev, noexec (default: none, as containers need it; repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "erofs mount"' -l layer -r -F -d 'image of a layer; bottom first (repeatable)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "erofs mount"' -x -a '(__fish_complete_directories)'
complete -c oci-unpack -n '__oci_unpack_positional 2 "erofs mount"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_positional 1 "erofs umount"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a mount -d 'mount the root file system of a bundle again'
complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a umount -d 'unmount the root file system of a bundle'
complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a upgrade -d 'unpack a new image, and carry the local changes of a bundle over'
complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a delete -d 'remove a bundle'
complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a save -d 'pack the root file system of a bundle into an archive'
complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a list -d 'list the bundles in a directory'
complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a prune -d 'remove old bundles from a directory'
complete -c oci-unpack -n '__oci_unpack_at "bundle"' -a select -d 'select the bundle that is in use among those in a directory'

complete -c oci-unpack -n '__oci_unpack_at "bundle mount"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "bundle mount"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "bundle mount"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle mount"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "bundle umount"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "bundle umount"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "bundle umount"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle umount"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l image -x -a '(__oci_unpack_image source)' -d 'new image to read: [oci:]PATH[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME[:TAG]], tar:FILE or docker://[HOST/]NAME[:TAG]'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l conflicts -x -d 'who wins conflicts, at all paths or at those that match: keep (OLD), new (the image), or both (OLD, with the image\'s beside it as .orig); the last match counts (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l only -x -d 'carry over only what was changed at or below PATH (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l dry-run -d 'print what would be carried over, and make nothing'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l json -d 'print one JSON object per path'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l platform -x -d 'image to choose from an index (default: the host\'s platform)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l keep-dirlinks -d 'keep a symbolic link to a directory when a layer has a directory of that name'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l jobs -x -d 'layers to read at once (default: one per processor; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l decompressor -r -F -a 'auto none isal igzip unpigz pigz gzip zstd' -d 'what decompresses layers: auto, none, isal, igzip, unpigz, pigz, gzip, zstd or an absolute path (default: auto)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l max-entries -x -d 'entries in all layers (default: 10,000,000)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l max-unpacked-bytes -x -d 'bytes of tar and hashed holes in all layers (default: 1 TiB)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l max-ratio -x -d 'bytes of tar and hashed holes per compressed byte of a large layer (default: 1100)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l max-path-bytes -x -d 'bytes of a path (default: 4095)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l max-json-bytes -x -d 'bytes of a JSON document (default: 4 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l max-pax-bytes -x -d 'bytes of a PAX header (default: 1 MiB)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l authfile -r -F -d 'file of credentials for the registry (default: those of podman and docker)'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l creds -x -d 'credentials for the registry, which other users can see in the list of processes: better use OCI_UNPACK_CREDS'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l creds-fd -x -d 'file descriptor whose first line is USER[:PASSWORD] for the registry'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l cert-dir -x -a '(__fish_complete_directories)' -d 'directory with *.crt, *.cert and *.key for the registry (default: containers-certs.d(5))'
complete -c oci-unpack -n '__oci_unpack_at "bundle upgrade"' -l tls-verify -x -a 'true false' -d 'check the certificate of the registry; false also allows plain HTTP, which only loopback addresses may use otherwise (default: true)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle upgrade"' -x -a '(__fish_complete_directories)'
complete -c oci-unpack -n '__oci_unpack_positional 2 "bundle upgrade"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "bundle delete"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "bundle delete"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "bundle delete"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle delete"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "bundle save"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle save"' -x -a '(__fish_complete_directories)'
complete -c oci-unpack -n '__oci_unpack_positional 2 "bundle save"' -x -a '(__oci_unpack_image source)'

complete -c oci-unpack -n '__oci_unpack_at "bundle list" "bundle ls"' -l json -d 'print one JSON object per bundle'
complete -c oci-unpack -n '__oci_unpack_at "bundle list" "bundle ls"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "bundle list" "bundle ls"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "bundle list" "bundle ls"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "bundle list" "bundle ls"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle list" "bundle ls"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l keep -x -d 'newest bundles of each image to keep'
complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l dry-run -d 'remove nothing, only show what would be removed'
complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l force -d 'remove bundles with changes, too: the changes are lost'
complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l json -d 'print one JSON object per bundle'
complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l jobs -x -d 'processors to use (default: all; 0: no threads)'
complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "bundle prune"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle prune"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "bundle select"' -l link -x -d 'name of the symbolic link (default: selected)'
complete -c oci-unpack -n '__oci_unpack_at "bundle select"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "bundle select"' -l no-hooks -d 'use no hooks, even if a hooks.toml is found'
complete -c oci-unpack -n '__oci_unpack_at "bundle select"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_positional 1 "bundle select"' -x -a '(__fish_complete_directories)'

complete -c oci-unpack -n '__oci_unpack_at "hooks"' -a check -d 'check a hooks.toml and show what would run'
complete -c oci-unpack -n '__oci_unpack_at "hooks"' -a test -d 'test hooks against their contract'
complete -c oci-unpack -n '__oci_unpack_at "hooks"' -a gc -d 'remove layers that no image needs'

complete -c oci-unpack -n '__oci_unpack_at "hooks check"' -l json -d 'print one JSON object'
complete -c oci-unpack -n '__oci_unpack_positional 1 "hooks check"' -r -F

complete -c oci-unpack -n '__oci_unpack_at "hooks test"' -l image -x -a '(__oci_unpack_image source)' -d 'also unpack this image (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "hooks test"' -l case -x -d 'run only this case (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "hooks test"' -l list -d 'print the names of the cases and what they test, and run none'
complete -c oci-unpack -n '__oci_unpack_at "hooks test"' -l gc -d 'also test store.gc, which removes all other layers: only for storage made for tests'
complete -c oci-unpack -n '__oci_unpack_at "hooks test"' -l directory -x -a '(__fish_complete_directories)' -d 'where to make bundles (default: the directory for temporary files)'
complete -c oci-unpack -n '__oci_unpack_at "hooks test"' -l keep -d 'keep the bundles and images'
complete -c oci-unpack -n '__oci_unpack_at "hooks test"' -l json -d 'print one JSON object'
complete -c oci-unpack -n '__oci_unpack_positional 1 "hooks test"' -r -F

complete -c oci-unpack -n '__oci_unpack_at "hooks gc"' -l layout -x -a '(__oci_unpack_image source-layout)' -d 'layout or archive whose images must stay (repeatable)'
complete -c oci-unpack -n '__oci_unpack_at "hooks gc"' -l hooks -r -F -d 'hooks.toml that decides where layers are stored (default: the first one found)'
complete -c oci-unpack -n '__oci_unpack_at "hooks gc"' -l trace -r -F -d 'append every hook call to FILE, as a line of JSON'
complete -c oci-unpack -n '__oci_unpack_at "hooks gc"' -l json -d 'print one JSON object'

complete -c oci-unpack -n '__oci_unpack_positional 1 "help"' -x -a 'unpack repack diff config insert init new tag remove list stat gc raw copy verify file erofs bundle hooks'
