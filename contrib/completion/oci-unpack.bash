# Completion of oci-unpack for bash 4.4 and newer.

# shellcheck disable=SC1003,SC2034,SC2088 # quotes and ~ as they were typed; tables set what their callers read

_oci_unpack_declared() {
  case $1 in
    '')
      commands=(unpack repack diff config insert init new tag remove list stat gc raw copy verify file erofs bundle hooks help)
      flags=(--log --verbose --progress --color --userns --help -h --version -v)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'unpack')
      commands=()
      flags=(--image --platform --layout --keep-dirlinks --jobs --decompressor --rootless --uid-map --gid-map --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --manifest --hooks --no-hooks --trace --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [layout]='image' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [uid-map]='word' [gid-map]='word' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [manifest]='word full lazy' [hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'repack')
      commands=()
      flags=(--image --refresh-bundle --hooks --no-hooks --trace --verify-delta --mask-path --no-mask-volumes --compress --compress-level --time-precision --jobs --no-history --history.author --history.comment --history.created --history.created_by --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='image' [hooks]='file' [trace]='file' [mask-path]='word' [compress]='word auto none gzip zstd' [compress-level]='word' [time-precision]='word seconds nanoseconds' [jobs]='word' [history.author]='word' [history.comment]='word' [history.created]='word' [history.created_by]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'diff')
      commands=()
      flags=(--mask-path --no-mask-volumes --json --jobs --log --verbose --progress --color --userns --help -h)
      takes=([mask-path]='word' [jobs]='word' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'config')
      commands=()
      flags=(--image --tag --platform --author --created --architecture --platform.arch --os --platform.os --platform.os.version --platform.variant --config.user --config.exposedports --config.env --config.entrypoint --config.cmd --config.volume --config.label --config.workingdir --config.stopsignal --manifest.annotation --clear --no-history --history.author --history.comment --history.created --history.created_by --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='image' [tag]='word' [platform]='word' [author]='word' [created]='word' [architecture]='word' [platform.arch]='word' [os]='word' [platform.os]='word' [platform.os.version]='word' [platform.variant]='word' [config.user]='word' [config.exposedports]='word' [config.env]='word' [config.entrypoint]='word' [config.cmd]='word' [config.volume]='word' [config.label]='word' [config.workingdir]='word' [config.stopsignal]='word' [manifest.annotation]='word' [clear]='word config.labels config.exposedports config.env config.volume config.cmd config.entrypoint manifest.annotations' [history.author]='word' [history.comment]='word' [history.created]='word' [history.created_by]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'insert')
      commands=()
      flags=(--image --tag --platform --opaque --whiteout --rootless --uid-map --gid-map --compress --compress-level --time-precision --jobs --no-history --history.author --history.comment --history.created --history.created_by --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='image' [tag]='word' [platform]='word' [uid-map]='word' [gid-map]='word' [compress]='word auto none gzip zstd' [compress-level]='word' [time-precision]='word seconds nanoseconds' [jobs]='word' [history.author]='word' [history.comment]='word' [history.created]='word' [history.created_by]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('file' 'word')
      ;;
    'init')
      commands=()
      flags=(--layout --log --verbose --progress --color --userns --help -h)
      takes=([layout]='directory' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'new')
      commands=()
      flags=(--image --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='image' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'tag')
      commands=()
      flags=(--image --platform --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='image' [platform]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('word')
      ;;
    'remove' | 'rm')
      commands=()
      flags=(--image --log --verbose --progress --color --userns --help -h)
      takes=([image]='image' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'list' | 'ls')
      commands=()
      flags=(--layout --referrers --long --json --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([layout]='source-layout' [referrers]='source' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('source-layout')
      ;;
    'stat')
      commands=()
      flags=(--image --platform --history --long --json --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'gc')
      commands=()
      flags=(--layout --dry-run --list --json --log --verbose --progress --color --userns --help -h)
      takes=([layout]='directory' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'raw')
      commands=(unpack runtime-config add-layer mtree-validate)
      flags=(--log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'raw unpack')
      commands=()
      flags=(--image --platform --layout --keep-dirlinks --jobs --decompressor --rootless --uid-map --gid-map --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [layout]='image' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [uid-map]='word' [gid-map]='word' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'raw runtime-config' | 'raw config')
      commands=()
      flags=(--image --platform --rootfs --uid-map --gid-map --rootless --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [rootfs]='directory' [uid-map]='word' [gid-map]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('file')
      ;;
    'raw add-layer')
      commands=()
      flags=(--image --tag --platform --compress --compress-level --time-precision --jobs --no-history --history.author --history.comment --history.created --history.created_by --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='image' [tag]='word' [platform]='word' [compress]='word auto none gzip zstd' [compress-level]='word' [time-precision]='word seconds nanoseconds' [jobs]='word' [history.author]='word' [history.comment]='word' [history.created]='word' [history.created_by]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('file')
      ;;
    'raw mtree-validate')
      commands=()
      flags=(--manifest -f --file --path -p --use-keywords -k --add-keywords -K --rootless --umoci-keywords --jobs --json --log --verbose --progress --color --userns --help -h)
      takes=([manifest]='file' [f]='file' [file]='file' [path]='directory' [p]='directory' [use-keywords]='word' [k]='word' [add-keywords]='word' [K]='word' [jobs]='word' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'copy')
      commands=()
      flags=(--platform --referrers --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --src-authfile --src-creds --src-creds-fd --src-cert-dir --src-tls-verify --dest-authfile --dest-creds --dest-creds-fd --dest-cert-dir --dest-tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [src-authfile]='file' [src-creds]='word' [src-creds-fd]='word' [src-cert-dir]='directory' [src-tls-verify]='word true false' [dest-authfile]='file' [dest-creds]='word' [dest-creds-fd]='word' [dest-cert-dir]='directory' [dest-tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('source' 'source')
      ;;
    'verify')
      commands=()
      flags=(--image --layout --json --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [layout]='source-layout' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'file')
      commands=(list cat extract serve export index)
      flags=(--log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'file list' | 'file ls')
      commands=()
      flags=(--image --platform --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --long -l --json --null -0 --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('word')
      ;;
    'file cat')
      commands=()
      flags=(--image --platform --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('word')
      ;;
    'file extract')
      commands=()
      flags=(--image --platform --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --overwrite --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('word' 'directory')
      ;;
    'file serve')
      commands=()
      flags=(--image --platform --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --index --disk --socket --port --pid-file --run --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [index]='directory' [socket]='file' [port]='word' [pid-file]='file' [run]='word' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('word')
      ;;
    'file export')
      commands=()
      flags=(--image --platform --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --disk --inflate --stop-early --json --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('word' 'file')
      ;;
    'file index')
      commands=()
      flags=(--image --platform --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --index --json --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [index]='directory' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'erofs')
      commands=(make verify mount umount)
      flags=(--log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'erofs make')
      commands=()
      flags=(--image --platform --vmdk --cache --verity --json --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [platform]='word' [vmdk]='word devices linear' [cache]='directory' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'erofs verify')
      commands=()
      flags=(--jobs --json --log --verbose --progress --color --userns --help -h)
      takes=([jobs]='word' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'erofs mount')
      commands=()
      flags=(--options -o --layer --log --verbose --progress --color --userns --help -h)
      takes=([options]='word nosuid nodev noexec nosuid,nodev,noexec' [o]='word nosuid nodev noexec nosuid,nodev,noexec' [layer]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory' 'directory')
      ;;
    'erofs umount')
      commands=()
      flags=(--log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'bundle')
      commands=(mount umount upgrade delete save list prune select)
      flags=(--log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'bundle mount')
      commands=()
      flags=(--hooks --no-hooks --trace --log --verbose --progress --color --userns --help -h)
      takes=([hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'bundle umount')
      commands=()
      flags=(--hooks --no-hooks --trace --log --verbose --progress --color --userns --help -h)
      takes=([hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'bundle upgrade')
      commands=()
      flags=(--image --conflicts --only --dry-run --json --platform --keep-dirlinks --jobs --decompressor --max-entries --max-unpacked-bytes --max-ratio --max-path-bytes --max-json-bytes --max-pax-bytes --hooks --no-hooks --trace --authfile --creds --creds-fd --cert-dir --tls-verify --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [conflicts]='word' [only]='word' [platform]='word' [jobs]='word' [decompressor]='file auto none isal igzip unpigz pigz gzip zstd' [max-entries]='word' [max-unpacked-bytes]='word' [max-ratio]='word' [max-path-bytes]='word' [max-json-bytes]='word' [max-pax-bytes]='word' [hooks]='file' [trace]='file' [authfile]='file' [creds]='word' [creds-fd]='word' [cert-dir]='directory' [tls-verify]='word true false' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory' 'directory')
      ;;
    'bundle delete')
      commands=()
      flags=(--hooks --no-hooks --trace --log --verbose --progress --color --userns --help -h)
      takes=([hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'bundle save')
      commands=()
      flags=(--jobs --log --verbose --progress --color --userns --help -h)
      takes=([jobs]='word' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory' 'source')
      ;;
    'bundle list' | 'bundle ls')
      commands=()
      flags=(--json --jobs --hooks --no-hooks --trace --log --verbose --progress --color --userns --help -h)
      takes=([jobs]='word' [hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'bundle prune')
      commands=()
      flags=(--keep --dry-run --force --json --jobs --hooks --no-hooks --trace --log --verbose --progress --color --userns --help -h)
      takes=([keep]='word' [jobs]='word' [hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'bundle select')
      commands=()
      flags=(--link --hooks --no-hooks --trace --log --verbose --progress --color --userns --help -h)
      takes=([link]='word' [hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('directory')
      ;;
    'hooks')
      commands=(check test gc)
      flags=(--log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'hooks check')
      commands=()
      flags=(--json --log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('file')
      ;;
    'hooks test')
      commands=()
      flags=(--image --case --list --gc --directory --keep --json --log --verbose --progress --color --userns --help -h)
      takes=([image]='source' [case]='word' [directory]='directory' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('file')
      ;;
    'hooks gc')
      commands=()
      flags=(--layout --hooks --trace --json --log --verbose --progress --color --userns --help -h)
      takes=([layout]='source-layout' [hooks]='file' [trace]='file' [log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=()
      ;;
    'help')
      commands=()
      flags=(--log --verbose --progress --color --userns --help -h)
      takes=([log]='word debug info warn error fatal' [progress]='word auto plain json none' [color]='word auto always never')
      positionals=('word unpack repack diff config insert init new tag remove list stat gc raw copy verify file erofs bundle hooks')
      ;;
    *) return 1 ;;
  esac
}

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
  if [[ $1 != image && $plain =~ ^(oci|oci-archive|docker-archive|tar|docker): ]]; then
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
  mapfile -t places < <(if [[ $transport =~ ^(oci-archive|docker-archive|tar):$ ]]; then compgen -f -- "$rest"; else compgen -d -- "$rest"; fi)
  for place in "${places[@]}"; do
    if [[ -e ${place/#\~\//$HOME/}/oci-layout && ! $transport =~ ^(oci-archive|docker-archive|tar):$ ]]; then
      layouts+=("$transport$place")
    elif [[ -d ${place/#\~\//$HOME/} ]]; then
      found+=("$transport$place/")
    else
      found+=("$transport$place")
    fi
  done
  if [[ $1 != image && -z $transport ]]; then
    for place in oci: oci-archive: docker-archive: tar: docker:; do
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
