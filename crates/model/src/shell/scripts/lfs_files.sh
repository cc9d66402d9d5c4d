# Defines `lfs_files COMMIT`, which prints, of each file of a commit whose content Git LFS keeps, its SHA-256 check sum, size and path.
# It fails, and says why, where that can't be told. It runs in the repository, on hosts and on the deployer, and changes nothing there.
# POSIX sh.

# Attributes are those of the commit, which an index of its own tells in every version of git.
lfs_files() (
  git -c submodule.recurse=false grep -q -F -e filter=lfs "$1" -- ':(top,glob)**/.gitattributes'
  case $? in
    0) ;;
    1) exit 0 ;;
    *) exit 1 ;;
  esac
  parts=$(mktemp -d) || exit
  trap 'rm -rf "$parts"' EXIT
  export LC_ALL=C GIT_INDEX_FILE="$parts/index"
  git read-tree "$1" || exit
  # Of what is binary only the length matters.
  git ls-files -z >"$parts/paths" && git check-attr -z --cached --stdin filter <"$parts/paths" >"$parts/attributes" || exit
  git ls-files -s -z >"$parts/files" && tr '\0\n' '\n\1' <"$parts/files" >"$parts/lines" || exit
  tr '\0\n' '\n\1' <"$parts/attributes" | awk '
    FNR == NR && FNR % 3 == 1 { path = $0 }
    FNR == NR && FNR % 3 == 0 && ($0 == "lfs" || $0 == "buedafab-lfs") { wanted[path] = 1 }
    FNR == NR { next }
    { path = substr($0, index($0, "\t") + 1) }
    path in wanted && /^100/ { print $2 " " path }' - "$parts/lines" >"$parts/wanted" || exit
  git cat-file --batch-check='%(objectsize) %(objectname) %(rest)' <"$parts/wanted" >"$parts/sizes" || exit
  awk '$2 == "missing" { exit 1 } $1 < 1024 { print substr($0, index($0, " ") + 1) }' "$parts/sizes" >"$parts/small" || exit
  git cat-file --batch='%(objectsize) %(rest)' <"$parts/small" >"$parts/contents" || exit
  tr '\0' '\1' <"$parts/contents" | awk '
    left <= 0 {
      left = $1 + 1
      path = substr($0, index($0, " ") + 1)
      count = 0
      next
    }
    {
      left -= length($0) + 1
      line[++count] = $0
      if (left > 0) next
      sum = substr(line[2], 12)
      size = substr(line[3], 6)
      if (count == 4 && line[4] == "" && line[1] == "version https://git-lfs.github.com/spec/v1" &&
        substr(line[2], 1, 11) == "oid sha256:" && length(sum) == 64 && sum !~ /[^0-9a-f]/ &&
        substr(line[3], 1, 5) == "size " && size ~ /^[0-9]+$/) {
        if (path ~ /\001/) strange = path ": a name with a line break"
        print sum " " size " " path
      } else if (line[1] ~ /^version (https:\/\/git-lfs\.|https:\/\/hawser\.|http:\/\/git-media\.)/) {
        strange = path ": git-lfs writes such pointers no more, or an extension of it did; git add --renormalize makes it anew"
      }
    }
    END {
      if (strange == "") exit
      print strange >"/dev/stderr"
      exit 1
    }'
)
