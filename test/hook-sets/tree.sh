#!/bin/bash
# A small tree with one of each kind, and one change of each kind:  tree.sh make|change DIRECTORY
#
# Needs root and a file system with extended attributes. Files of untouched/ are never changed.
set -euo pipefail
cd "$2"
umask 022

odd_names=($'new\nline' 'sp ace' 'back\slash' 'back\134digits' $'not\377utf8' $'tab\tesc\033bell\a' 'a dest=b' '-n' '#x' ' lead' 'trail ' '%s' 'o257-7-0')

make() {
  mkdir -p untouched/deep dir/sub/deeper moved/inner replaced opaque/in there links odd changed
  echo 1 >untouched/deep/file
  for name in a b c; do echo "$name" >"dir/sub/$name"; done
  echo x >moved/inner/file && echo x >moved/other
  echo x >replaced/child && echo x >opaque/in/old && echo x >opaque/old
  echo x >there/back
  for name in content appended touched mode owner xattr truncated same; do echo "$name" >"changed/$name"; done
  ln -s target changed/link
  mkfifo changed/fifo
  mknod changed/device c 1 3
  echo x >becomes-directory && echo x >becomes-link && ln -s nowhere becomes-file
  mkdir changed/directory-mode changed/directory-xattr
  echo 1 >links/kept && ln links/kept links/kept-2
  echo 1 >links/written && ln links/written links/written-2 && ln links/written written-3
  echo 1 >links/broken && ln links/broken links/broken-2
  echo 1 >links/unlinked && ln links/unlinked links/unlinked-2 && ln links/unlinked links/unlinked-3
  echo 1 >links/single
  echo 1 >moved/inner/linked && ln moved/inner/linked links/outside
  for name in "${odd_names[@]}"; do echo 1 >"odd/$name" && mkdir "odd/dir $name" && echo 1 >"odd/dir $name/in"; done
  setcap cap_net_raw+ep changed/same
  setfattr -n trusted.root -v root .
  setfattr -n user.binary -v 0x000a3dff changed/directory-xattr
  setfacl -m u:77:rwx .
  truncate -s 4M changed/sparse && printf end >>changed/sparse
  chmod 1751 . && chown 12:34 .
  chmod 4711 changed/mode
  find . -exec touch -h -d '2020-02-02 02:02:02.123456789' {} +
}

change() {
  mkdir -p new/deep && echo new >new/deep/file && ln -s deep new/link && mkfifo new/fifo
  rm -r dir/sub && rm links/unlinked
  mv moved renamed && echo 2 >>renamed/other
  rm -r replaced && echo file >replaced
  rm -r opaque && mkdir opaque && echo new >opaque/new
  mv there/back new/back && mv new/back there/back
  echo 2 >changed/content && echo 2 >>changed/appended && truncate -s 1 changed/truncated
  touch -m -d '2021-01-01 00:00:00.5' changed/touched
  touch -h -d '2021-01-01' changed/link
  chmod 600 changed/mode && chown 7:8 changed/owner && chmod 600 changed/fifo && chown 7 changed/device
  chmod 700 changed/directory-mode
  # A value that tries to look like a line of somebody's log.
  setfattr -n user.x -v $'1\nunlink          ./now/../../outside\nchmod           ./now/forged' changed/xattr
  setfattr -x user.binary changed/directory-xattr
  rm becomes-directory && mkdir becomes-directory && echo x >becomes-directory/in
  rm becomes-link && ln -s elsewhere becomes-link
  rm becomes-file && echo x >becomes-file
  echo 2 >>links/written-2
  cp -a links/broken links/copy && mv links/copy links/broken
  ln links/single links/single-2
  for name in "${odd_names[@]}"; do
    echo 2 >>"odd/$name" && mv "odd/dir $name" "odd/dir 2 $name" && echo 2 >"odd/new $name"
  done
  for name in "${odd_names[@]::5}"; do rm "odd/$name"; done
}

"$1"
